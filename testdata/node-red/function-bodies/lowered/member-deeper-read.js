msg.user = msg.payload.user.name;
return msg;