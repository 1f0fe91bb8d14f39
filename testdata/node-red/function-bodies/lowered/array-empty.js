msg.payload = [];
return msg;