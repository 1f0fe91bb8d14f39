msg.statusCode = 401;
msg.payload = {error: "unauthorized"};
return msg;