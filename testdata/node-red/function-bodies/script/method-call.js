msg.payload = msg.payload.toString();
return msg;