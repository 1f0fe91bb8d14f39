msg.payload = {'a b': 1, "c-d": 2, '': 3, "ü": 4};
return msg;