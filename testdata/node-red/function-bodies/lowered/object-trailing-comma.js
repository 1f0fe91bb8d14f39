msg.payload = {a: 1, b: 2,};
return msg;