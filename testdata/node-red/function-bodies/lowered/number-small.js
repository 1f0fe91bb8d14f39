msg.payload = -2.5e-7;
return msg;