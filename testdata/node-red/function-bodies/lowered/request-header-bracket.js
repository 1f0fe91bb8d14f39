msg.payload = msg.req.headers["x-api-key"];
return msg;