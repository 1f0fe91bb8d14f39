msg.a = {};
msg.a.b = {};
msg.a.b.c = 1;
return msg;