msg.payload = JSON.stringify({a: 1});
return msg;