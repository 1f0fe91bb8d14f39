msg.a = {b: 1}
["b"]
return msg;