msg.payload.self = {again: [msg.payload]};
return msg;