msg.res.locals = 1;
return msg;