msg.a = 1
msg.b = "x"
msg.c = {d: 1}
delete msg.a
return msg