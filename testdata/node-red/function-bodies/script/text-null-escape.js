msg.payload = '\0';
return msg;