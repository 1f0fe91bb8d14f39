msg.a = msg.payload;
msg.payload = msg.topic;
msg.topic = msg.a;
delete msg.a;
return msg;