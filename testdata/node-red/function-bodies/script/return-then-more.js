return msg;
msg.payload = 1;