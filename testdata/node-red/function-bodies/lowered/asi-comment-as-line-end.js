msg.a = 1 /* ends
 here */ msg.b = 2; return msg