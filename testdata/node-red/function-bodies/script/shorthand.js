msg.payload = {msg};
return msg;