msg.req.user = "alice";
return msg;