msg.payload = '\ud800';
return msg;