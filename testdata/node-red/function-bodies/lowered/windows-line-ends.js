msg.payload = 1
msg.topic = "x"
return msg
