await Promise.resolve();
return msg;