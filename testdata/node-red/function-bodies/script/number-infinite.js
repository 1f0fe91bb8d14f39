msg.payload = 1e400;
return msg;