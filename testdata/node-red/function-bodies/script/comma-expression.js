msg.a = 1, msg.b = 2;
return msg;