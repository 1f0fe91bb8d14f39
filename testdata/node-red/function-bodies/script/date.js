msg.payload = new Date(0);
return msg;