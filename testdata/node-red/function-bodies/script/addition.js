msg.payload = msg.payload + 1;
return msg;