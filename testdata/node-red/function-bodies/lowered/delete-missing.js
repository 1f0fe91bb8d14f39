delete msg.nothing;
return msg;