msg.payload = "a\tb\n\"c\" \'d\' \\ \u00fc \x41 \/";
return msg;