//! Reads the sources of a function node: each becomes a function of the timers it shall see, to the function that it is.
(function (host, script) {
  "use strict";
  const compile = (kind, head, source) =>
    host.compile(kind, `(function(setTimeout,setInterval){return ${head}{`, source, "}})");
  return {
    body: compile("source", "async function(msg,__send__,__done__,node)", script.source),
    initialize: script.initialize.trim() && compile("initialize", "async function(node)", script.initialize),
    finalize: script.finalize.trim() && compile("finalize", "function(node)", script.finalize),
  };
})
