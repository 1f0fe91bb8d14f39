msg.payload = {a: {b: {c: {d: [{e: 1}]}}}};
return msg;