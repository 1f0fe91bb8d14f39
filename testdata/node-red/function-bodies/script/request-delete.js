delete msg.req.headers;
return msg;