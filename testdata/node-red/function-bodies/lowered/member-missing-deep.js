msg.payload = msg.nothing.at.all;
return msg;