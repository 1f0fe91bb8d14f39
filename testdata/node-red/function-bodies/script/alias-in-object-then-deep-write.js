msg.a = {p: msg.payload};
msg.a.p.x = 1;
return msg;