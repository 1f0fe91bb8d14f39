msg.\u0061 = 1;
return msg;