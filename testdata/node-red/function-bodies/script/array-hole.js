msg.payload = [1, , 2];
return msg;