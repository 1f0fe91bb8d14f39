msg.payload = {};
return msg;