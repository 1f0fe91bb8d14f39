msg.payload = [msg.payload, msg.topic];
return msg;