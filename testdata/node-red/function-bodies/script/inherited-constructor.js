msg.payload = msg.payload.constructor;
return msg;