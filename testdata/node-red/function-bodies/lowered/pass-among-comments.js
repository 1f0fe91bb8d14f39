// nothing to do
/* really
 nothing */
return msg; // done
