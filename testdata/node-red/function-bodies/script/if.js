if (msg.payload) { msg.topic = "yes"; }
return msg;