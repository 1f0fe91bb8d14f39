msg.payload = msg.payload.user;
return msg;