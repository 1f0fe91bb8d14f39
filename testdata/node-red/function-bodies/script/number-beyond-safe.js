msg.payload = 9007199254740993;
return msg;