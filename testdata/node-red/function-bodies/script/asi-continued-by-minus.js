msg.a = 3
-1
return msg;