msg.payload = null;
msg.topic = undefined;
return msg;