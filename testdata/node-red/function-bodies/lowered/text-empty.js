msg.payload = "";
return msg;