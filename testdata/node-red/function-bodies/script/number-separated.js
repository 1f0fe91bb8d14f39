msg.payload = 1_000;
return msg;