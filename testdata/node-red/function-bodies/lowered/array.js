msg.payload = [1, "two", null, true, [3], {four: 4}];
return msg;