msg.payload = 42;
return msg;