msg.grüße = 1;
return msg;