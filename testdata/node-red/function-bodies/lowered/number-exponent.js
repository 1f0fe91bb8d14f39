msg.payload = 1.5e3;
return msg;