msg.payload = typeof msg.payload;
return msg;