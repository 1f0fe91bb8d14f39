msg.payload = 'hello';
return msg;