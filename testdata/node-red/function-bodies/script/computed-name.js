msg.payload = {["a"]: 1};
return msg;