msg._msgid = "mine";
return msg;