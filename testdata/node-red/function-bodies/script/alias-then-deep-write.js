msg.a = msg.payload;
msg.payload.x = 1;
return msg;