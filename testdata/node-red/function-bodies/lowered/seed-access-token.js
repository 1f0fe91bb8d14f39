msg.payload = {
    "access_token" : msg.payload
}
return msg;