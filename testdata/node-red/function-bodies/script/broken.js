msg.payload = ;
return msg;