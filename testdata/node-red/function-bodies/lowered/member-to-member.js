msg.topic = msg.payload;
return msg;