msg.payload = msg.toString;
return msg;