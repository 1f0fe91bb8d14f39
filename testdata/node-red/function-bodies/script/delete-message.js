delete msg;
return msg;