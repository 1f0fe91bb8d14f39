msg.payload.self = msg.payload;
return msg;