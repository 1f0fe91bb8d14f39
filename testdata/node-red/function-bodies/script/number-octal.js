msg.payload = 010;
return msg;