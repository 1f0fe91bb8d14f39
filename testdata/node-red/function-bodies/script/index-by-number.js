msg.payload = msg.payload[0];
return msg;