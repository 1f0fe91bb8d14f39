msg.payload = {sub: msg.req.query.user};
return msg;