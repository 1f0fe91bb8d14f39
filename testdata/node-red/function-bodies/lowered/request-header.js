msg.token = msg.req.headers.authorization;
return msg;