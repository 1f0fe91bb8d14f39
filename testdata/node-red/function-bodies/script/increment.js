msg.count++;
return msg;