msg.payload = {default: 1, class: 2, delete: 3, if: 4};
return msg;