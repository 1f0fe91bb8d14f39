msg.payload = {...msg.payload};
return msg;