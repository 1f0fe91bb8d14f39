msg.payload = 10n;
return msg;