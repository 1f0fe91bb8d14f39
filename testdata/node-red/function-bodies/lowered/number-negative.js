msg.payload = -7;
return msg;