msg.payload = "ü € 😀";
return msg;