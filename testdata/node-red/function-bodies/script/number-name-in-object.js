msg.payload = {1: "a"};
return msg;