msg.payload = msg.a?.b;
return msg;