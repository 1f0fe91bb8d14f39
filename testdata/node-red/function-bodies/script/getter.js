msg.payload = {get a() { return 1; }};
return msg;