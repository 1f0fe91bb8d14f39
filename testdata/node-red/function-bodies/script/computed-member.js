msg.payload = msg[msg.topic];
return msg;