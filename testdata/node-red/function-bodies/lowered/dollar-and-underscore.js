msg.$a_1 = {_$: 1};
return msg;