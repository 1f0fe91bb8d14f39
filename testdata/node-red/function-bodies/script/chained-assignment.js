msg.a = msg.b = 1;
return msg;