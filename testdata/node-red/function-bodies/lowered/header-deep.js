msg.headers = {};
msg.headers["X-One"] = "1";
msg.headers.two = "2";
return msg;