msg.payload = '\101';
return msg;