msg.payload = {m: msg};
return msg;