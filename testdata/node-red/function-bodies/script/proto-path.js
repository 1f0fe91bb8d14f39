msg.__proto__.polluted = true;
return msg;