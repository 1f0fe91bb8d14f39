msg.payload = 9007199254740991;
return msg;