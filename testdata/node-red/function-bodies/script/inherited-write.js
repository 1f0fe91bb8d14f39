msg.valueOf = 1;
return msg;