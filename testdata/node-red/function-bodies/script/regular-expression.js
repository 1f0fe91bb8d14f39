msg.payload = /x/.source;
return msg;