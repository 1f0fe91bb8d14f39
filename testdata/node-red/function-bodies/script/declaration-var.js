var a = {};
msg.payload = a;
return msg;