msg.payload = msg.req.get;
return msg;