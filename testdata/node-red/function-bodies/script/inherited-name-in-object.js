msg.payload = {hasOwnProperty: 1};
return msg;