msg.payload = {a() { return 1; }};
return msg;