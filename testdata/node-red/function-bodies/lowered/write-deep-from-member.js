msg.payload.topic = msg.topic;
return msg;