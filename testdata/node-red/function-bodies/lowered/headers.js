msg.headers = {"Content-Type": "application/json", "Cache-Control": "no-store"};
return msg;