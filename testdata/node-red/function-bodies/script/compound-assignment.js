msg.count += 1;
return msg;