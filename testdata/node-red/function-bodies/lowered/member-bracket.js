msg["payload"] = msg["topic"];
return msg;