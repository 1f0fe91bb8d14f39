msg.payload = "a" + "b";
return msg;