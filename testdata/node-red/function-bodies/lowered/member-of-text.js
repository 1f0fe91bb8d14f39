msg.length = msg.payload.length;
return msg;