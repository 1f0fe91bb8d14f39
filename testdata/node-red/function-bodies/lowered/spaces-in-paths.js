msg . payload
  . user = 1;
return msg;