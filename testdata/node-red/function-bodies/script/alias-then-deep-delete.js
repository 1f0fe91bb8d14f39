msg.a = msg.payload;
delete msg.payload.user;
return msg;