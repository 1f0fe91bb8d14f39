msg.payload = void 0;
return msg;