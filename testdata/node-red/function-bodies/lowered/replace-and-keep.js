msg.old = msg.payload;
msg.payload = {};
return msg;