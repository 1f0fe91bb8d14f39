msg.payload.checked = true;
return msg;