msg.payload = `x`;
return msg;