msg.payload = {a: msg.payload, b: {c: msg.topic, d: "x"}, e: [msg.payload]};
return msg;