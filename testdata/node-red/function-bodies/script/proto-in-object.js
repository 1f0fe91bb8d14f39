msg.payload = {__proto__: null, a: 1};
return msg;