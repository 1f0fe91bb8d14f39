msg.payload = NaN;
return msg;