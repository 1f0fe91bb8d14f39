msg.payload = flow.get("x");
return msg;