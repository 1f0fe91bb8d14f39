msg.payload = {b: 1, "2": 2, "1": 1};
return msg;