msg.payload = true;
msg.other = false;
return msg;