msg.payload = 0.1;
return msg;