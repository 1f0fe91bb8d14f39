msg.payload.user.role = "admin";
return msg;