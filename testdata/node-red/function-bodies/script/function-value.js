msg.payload = function () { return 1; };
return msg;