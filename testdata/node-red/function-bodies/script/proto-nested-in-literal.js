msg.payload = {a: [{"__proto__": 1}]};
return msg;