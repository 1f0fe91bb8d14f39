msg.payload = 1;
return null;