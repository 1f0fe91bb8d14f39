delete msg._msgid;
return msg;