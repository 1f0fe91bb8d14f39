msg.payload = msg._msgid;
return msg;