msg.payload = 0x10;
return msg;