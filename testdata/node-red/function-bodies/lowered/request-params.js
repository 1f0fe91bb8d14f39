msg.payload = {id: msg.req.params.id, method: msg.req.method};
return msg;