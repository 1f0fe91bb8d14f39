msg.payload = [...msg.list];
return msg;