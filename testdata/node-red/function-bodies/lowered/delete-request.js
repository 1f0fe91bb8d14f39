delete msg.req;
return msg;