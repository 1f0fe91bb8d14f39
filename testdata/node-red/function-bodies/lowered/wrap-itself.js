msg.payload = {payload: msg.payload, list: [msg.payload]};
return msg;