// What a script of an orchestration flow finds around it (contract section 8), over the sandbox's host.
//
// Evaluated once for each node, to a function that the sandbox calls with its host (crates/sandbox/src/worker/host.rs) and the
// script: {source, outputs, facts: {exits, modules}}. The script reads `variables` and leaves by `callback({output, data})`; the
// data, as JSON has it, goes on as the member `.script` of the message.
(function (host, script, makeBuffer, makeWeb, makeRealm) {
  "use strict";
  const { exits, modules } = script.facts;
  const Buffer = makeBuffer(host);
  const { URL, URLSearchParams } = makeWeb(host);
  const { globalsOf, seal } = makeRealm(script.source, { Buffer, URL, URLSearchParams });
  const known = { buffer: { Buffer }, url: { URL, URLSearchParams } };
  const usesPromises = /\b(Promise|async|await)\b/.test(script.source);

  const LEVELS = { trace: 0, debug: 1, log: 2, info: 2, warn: 3, error: 4 };
  function shown(value) {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value);
    const text = JSON.stringify(value);
    return text === undefined ? String(value) : text;
  }

  /** The variables of the flow store, which a script reads and cannot change; what the flow itself works with stays out. */
  function readable(message) {
    const names = Object.keys(message).filter((name) => !name.startsWith("."));
    return fixed(Object.fromEntries(names.map((name) => [name, message[name]])));
  }
  function fixed(value) {
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
    for (const name of Object.keys(value)) fixed(value[name]);
    return Object.freeze(value);
  }

  function require(name) {
    const bare = String(name).replace(/^node:/, "");
    if (modules.includes(bare)) return known[bare];
    throw new Error(`The module ${bare} is not among the available ones`);
  }

  const isExhausted = (error) =>
    error === null || (error instanceof Error && error.name === "InternalError" && error.message === "out of memory");
  const placesOf = (error) =>
    String(error.stack)
      .split("\n")
      .filter((line) => /\bsource:\d/.test(line))
      .map((line) => line.replace(/\bsource:(\d+)/, (_, at) => `source:${at - 1}`));
  function refuse(state, code, error) {
    if (state.finished) return;
    state.finished = true;
    const exhausted = isExhausted(error);
    const told = { message: exhausted ? "the script used up its memory" : String(error), exhausted };
    if (!exhausted) told.thrown = { code, field: "script" };
    if (error instanceof Error) told.stack = [String(error), ...placesOf(error)].join("\n");
    host.fault(state.call, told, undefined);
    host.settle(state.call);
  }

  /** The script says by which exit the message leaves, and what is saved. Only the first word counts. */
  function leave(state, said) {
    if (state.finished) return;
    const output = said === null || typeof said !== "object" ? undefined : said.output;
    const at = exits.indexOf(output);
    if (at < 0) return refuse(state, "script.output", "the script called back with an output that the node does not have");
    try {
      const data = JSON.stringify(said.data);
      const message = { ...state.message, ".script": data === undefined ? null : JSON.parse(data) };
      host.send(state.call, exits.map((_, exit) => (exit === at ? [message] : [])));
    } catch (error) {
      return refuse(state, "script.data", error);
    }
    state.finished = true;
    host.settle(state.call);
  }

  /** Nothing is left to wait for but promises: their jobs have run when the next timer is due. */
  function rest(state) {
    const silent = () => refuse(state, "script.silent", "the script ended without calling back");
    if (usesPromises && !state.finished) host.timer(state.call, silent, 1, false);
    else silent();
  }

  const GIVEN = ["variables", "callback", "console", "require"];
  const program = host.compile(
    "source",
    `(function ($globals) { with ($globals) { return function (${GIVEN.join(", ")}) { return (function () {`,
    script.source,
    "}).call($globals); }; } })",
  );
  seal();

  return {
    begin(call, alone) {
      if (alone) host.settle(call);
    },
    enter(call, message) {
      const state = { call, message, finished: false };
      const console = {};
      for (const [name, level] of Object.entries(LEVELS))
        console[name] = (...values) => host.log(call, level, values.map(shown).join(" "));
      try {
        const callback = (said) => leave(state, said);
        const result = program(globalsOf())(readable(message), callback, console, require);
        if (result && typeof result.then === "function") result.then(undefined, (error) => refuse(state, "script.failed", error));
      } catch (error) {
        return refuse(state, "script.failed", error);
      }
      rest(state);
    },
    end(call) {
      host.settle(call);
    },
    flush() {},
  };
})
