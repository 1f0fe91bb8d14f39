msg.payload = +1;
return msg;