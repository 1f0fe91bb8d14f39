delete msg.topic;
return msg;