let a = 1;
msg.payload = a;
return msg;