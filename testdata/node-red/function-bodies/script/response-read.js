msg.payload = msg.res.statusCode;
return msg;