"use strict";
return msg;