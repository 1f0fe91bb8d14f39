delete msg.payload.user;
return msg;