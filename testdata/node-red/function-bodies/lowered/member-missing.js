msg.payload = msg.nothing;
return msg;