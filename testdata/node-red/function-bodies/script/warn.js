node.warn("x");
return msg;