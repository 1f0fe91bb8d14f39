msg.a = 1
--> not code
return msg;