msg.payload = '\u{1F600}';
return msg;