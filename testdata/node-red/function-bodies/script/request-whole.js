msg.payload = msg.req;
return msg;