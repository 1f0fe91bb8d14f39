//! What a function node finds around its source: the scope of section 12 of the contract, over the host of the sandbox.
//
// Evaluated once for each node, to a function that the sandbox calls with its host (crates/sandbox/src/worker/host.rs)
// and the script: {source, initialize, finalize, outputs, facts: {id, name?, path, env?, libs?, complete?, answers?}}.
// `facts.complete` says that somebody hears of completed messages, so that they have to be sent along; `facts.libs` are
// the modules that the node asks for, by the names they shall have; `facts.answers` is the output, behind those of the
// author, that answers the request of a message. `makers` are those that this surface comes with.
(function (host, script, makeBuffer, makeWeb, makeUtil, makeHttp, makers, read) {
  "use strict";
  const { facts } = script;
  const Buffer = makeBuffer(host);
  const { URL, URLSearchParams } = makeWeb(host);
  const later = (run, given) => setTimer(current, run, 0, given, false);
  const util = makeUtil(Buffer, later);
  const { inspect, format, promisify } = util;
  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const isText = (value) => typeof value === "string";

  // ---- modules -----------------------------------------------------------------------------------------------------

  const made = {};
  /** A module by its name, with `node:` before it or not; undefined if there is none. */
  function moduleOf(name) {
    const bare = String(name).replace(/^node:(?=crypto$)/, "");
    if (!own(makers, bare)) return undefined;
    if (!own(made, bare))
      made[bare] =
        bare === "crypto"
          ? makers.crypto(host, Buffer, later)
          : makers.jsonwebtoken(Buffer, moduleOf("crypto"), host.sign, host.verify, later);
    return made[bare];
  }

  // ---- RED.util ----------------------------------------------------------------------------------------------------

  const refuse = (code, why) => {
    throw Object.assign(new Error(why), { code });
  };
  const refusePath = (why) => refuse("INVALID_EXPR", "Invalid property expression: " + why);

  /** Where the bracket at this position closes, texts inside left alone. */
  function closing(text, open) {
    let depth = 0;
    let quoted = "";
    for (let at = open; at < text.length; at++) {
      const c = text[at];
      if (quoted) {
        if (c === quoted) quoted = "";
      } else if (c === '"' || c === "'") quoted = c;
      else if (c === "[") depth++;
      else if (c === "]" && --depth === 0) return at;
    }
    return refusePath("unmatched '[' at position " + open);
  }

  /** The names on the way that a property expression means; references to the message are followed if there is one. */
  function parsePath(text, msg) {
    if (text.length === 0) refusePath("zero-length");
    const parts = [];
    let at = 0;
    const unexpected = () =>
      at < text.length ? refusePath(`unexpected ${text[at]} at position ${at}`) : refusePath("unterminated expression");
    const quoted = () => {
      const end = text.indexOf(text[at], at + 1);
      if (end < 0) refusePath("unterminated expression");
      if (end === at + 1) refusePath("zero-length string at position " + end);
      parts.push(text.slice(at + 1, end));
      at = end + 1;
    };
    const boxed = () => {
      if (at === 0) unexpected();
      if (/^msg[.[]/.test(text.slice(at + 1))) {
        const end = closing(text, at);
        const inner = text.slice(at + 1, end);
        const found = msg ? getMessageProperty(msg, inner) : parsePath(inner);
        if (found === undefined)
          refuse("INVALID_EXPR", `Invalid expression: undefined reference at position ${at + 1} : ${inner}`);
        parts.push(found);
        at = end + 1;
        return;
      }
      at++;
      const count = /^\d+/.exec(text.slice(at));
      if (text[at] === '"' || text[at] === "'") quoted();
      else if (count) {
        parts.push(parseInt(count[0]));
        at += count[0].length;
      } else unexpected();
      if (text[at] !== "]") unexpected();
      at++;
    };
    while (at < text.length) {
      const c = text[at];
      if (c === "[") boxed();
      else if (c === ".") {
        if (at === 0) unexpected();
        at++;
        if (at >= text.length || !/[a-z0-9$_'"]/i.test(text[at])) unexpected();
      } else if ((c === '"' || c === "'") && (at === 0 || text[at - 1] === ".")) {
        quoted();
        if (at < text.length && text[at] !== "." && text[at] !== "[") unexpected();
      } else {
        const name = /^[^.['" \]]+/.exec(text.slice(at));
        if (!name) unexpected();
        at += name[0].length;
        if (at < text.length && text[at] !== "." && text[at] !== "[") unexpected();
        parts.push(/^\d+$/.test(name[0]) && text[at] === "." ? parseInt(name[0]) : name[0]);
      }
    }
    return parts;
  }

  function normalisePropertyExpression(text, msg, asText) {
    const parts = parsePath(text, msg);
    if (!asText) return parts;
    const [first, ...rest] = parts;
    return rest.reduce(
      (path, part) => path + `[${!isText(part) ? part : part.includes('"') ? `'${part}'` : `"${part}"`}]`,
      first,
    );
  }
  const getObjectProperty = (object, path) => parsePath(path, object).reduce((at, name) => at[name], object);
  const withoutMsg = (path) => (path.startsWith("msg.") ? path.slice(4) : path);
  const getMessageProperty = (msg, path) => getObjectProperty(msg, withoutMsg(path));
  const setMessageProperty = (msg, path, value, create) => setObjectProperty(msg, withoutMsg(path), value, create);
  const setObjectProperty = (object, path, value, create) => assign(object, parsePath(path, object), value, create);

  /** Writes there, or takes out what stands there if the value is undefined. Whether it could. */
  function assign(object, parts, value, create = value !== undefined) {
    if (parts.includes("__proto__")) return false;
    let at = object;
    for (const [i, name] of parts.slice(0, -1).entries()) {
      const missing = typeof name === "number" && Array.isArray(at) ? at[name] === undefined : !own(at, name);
      if (missing) {
        if (!create) return false;
        at[name] = isText(parts[i + 1]) ? {} : [];
      } else if (at[name] === null || (typeof at[name] !== "object" && typeof at[name] !== "function")) return false;
      at = at[name];
    }
    const last = parts[parts.length - 1];
    if (value !== undefined) {
      if (typeof at !== "object" || at === null) return false;
      at[last] = value;
    } else if (typeof last === "number" && Array.isArray(at)) at.splice(last, 1);
    else delete at[last];
    return true;
  }

  function cloneDeep(value, done = new Map()) {
    if (value === null || typeof value !== "object") return typeof value === "function" && done.size === 0 ? {} : value;
    if (done.has(value)) return done.get(value);
    if (value instanceof Error || value instanceof Promise) return done.size === 0 ? {} : value;
    if (value instanceof Date) return new Date(value.getTime());
    if (value instanceof RegExp)
      return Object.assign(new RegExp(value.source, value.flags), { lastIndex: value.lastIndex });
    if (value instanceof Buffer) return Buffer.from(value);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.slice();
    const copy =
      value instanceof Map
        ? new Map()
        : value instanceof Set
          ? new Set()
          : Array.isArray(value)
            ? new Array(value.length)
            : Object.create(Object.getPrototypeOf(value));
    done.set(value, copy);
    if (value instanceof Map) for (const [key, inner] of value) copy.set(key, cloneDeep(inner, done));
    if (value instanceof Set) for (const inner of value) copy.add(cloneDeep(inner, done));
    for (const name of Object.keys(value)) copy[name] = cloneDeep(value[name], done);
    return copy;
  }

  /** A copy of a message that shares its request and its reply. */
  function cloneMessage(msg) {
    if (msg === undefined || msg === null) return msg;
    const { req, res } = msg;
    if (!req && !res) return cloneDeep(msg);
    const copy = cloneDeep({ ...msg, req: undefined, res: undefined });
    for (const [name, shared] of [
      ["req", req],
      ["res", res],
    ])
      if (shared) copy[name] = shared;
      else delete copy[name];
    return copy;
  }

  function compareObjects(a, b) {
    if (a === b) return true;
    if (a === null || a === undefined || b === null || b === undefined) return false;
    if (Array.isArray(a) !== Array.isArray(b) || Buffer.isBuffer(a) !== Buffer.isBuffer(b)) return false;
    if (Buffer.isBuffer(a)) return a.equals(b);
    if (typeof a !== "object" || typeof b !== "object") return false;
    if (Array.isArray(a)) return a.length === b.length && a.every((item, i) => compareObjects(item, b[i]));
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => compareObjects(a[key], b[key]));
  }

  const generateId = () =>
    Array.from({ length: 8 }, () =>
      Math.round(255 * Math.random())
        .toString(16)
        .padStart(2, "0"),
    ).join("");
  const ensureString = (value) =>
    Buffer.isBuffer(value) ? value.toString() : typeof value === "object" ? JSON.stringify(value) : String(value);
  const ensureBuffer = (value) =>
    Buffer.isBuffer(value) ? value : Buffer.from(typeof value === "object" ? JSON.stringify(value) : String(value));
  const normaliseNodeTypeName = (name) => {
    const camel = name
      .replace(/[^a-zA-Z0-9]/g, " ")
      .trim()
      .replace(/ +(.)/g, (_, letter) => letter.toUpperCase())
      .replace(/ /g, "");
    return camel.charAt(0).toLowerCase() + camel.slice(1);
  };
  function parseContextStore(key) {
    const parts = /^#:\((\S+?)\)::(.*)$/.exec(key);
    return parts ? { store: parts[1], key: parts[2] } : { key };
  }

  function evaluate(value, type, msg) {
    switch (type) {
      case "str":
        return "" + value;
      case "num":
        return Number(value);
      case "json":
        return JSON.parse(value);
      case "re":
        return new RegExp(value);
      case "bool":
        return /^true$/i.test(value);
      case "bin": {
        const data = JSON.parse(value);
        return Array.isArray(data) || isText(data)
          ? Buffer.from(data)
          : refuse("INVALID_BUFFER_DATA", "Not string or array");
      }
      case "date":
        if (!value) return Date.now();
        if (value === "object") return new Date();
        if (value === "iso") return new Date().toISOString();
        throw new Error(`The date format ${value} is not supported`);
      case "msg":
        return msg ? getMessageProperty(msg, value) : value;
      case "env":
        return evaluateEnv(value);
      case "jsonata":
        throw new Error("JSONata is not supported in function nodes");
      default:
        return value;
    }
  }
  function evaluateEnv(text) {
    const known = (name) => {
      const found = env.get(name);
      return found === undefined ? "" : found;
    };
    if (/^\${[^}]+}$/.test(text)) return known(text.slice(2, -1));
    return /\${\S+}/.test(text) ? text.replace(/\${([^}]+)}/g, (_, name) => known(name)) : known(text);
  }
  function evaluateNodeProperty(value, type, node, msg, callback) {
    if ((type === "flow" || type === "global") && node) {
      const { key, store } = parseContextStore(value);
      return (type === "flow" ? flow : global).get(
        /\[msg/.test(key) ? normalisePropertyExpression(key, msg, true) : key,
        store,
        callback,
      );
    }
    if (!callback) return evaluate(value, type, msg);
    let result;
    try {
      result = evaluate(value, type, msg);
    } catch (error) {
      return void callback(error);
    }
    callback(null, result);
  }

  // ---- console --------------------------------------------------------------------------------------------------

  const LEVELS = { trace: 0, debug: 1, log: 2, info: 2, warn: 3, error: 4 };
  const console = {};
  for (const [name, level] of Object.entries(LEVELS))
    console[name] = (...values) => host.log(current, level, format(...values));
  console.dir = (value, options) => host.log(current, LEVELS.log, inspect(value, options));
  console.assert = (truth, ...values) => {
    if (!truth) console.error("Assertion failed" + (values.length ? ": " + format(...values) : ""));
  };

  // ---- context, flow, global, env ----------------------------------------------------------------------------------

  function variables(reach) {
    const inStore = (store) =>
      store === undefined || store === null || store === "_" || store === "default" || store === "memory"
        ? ""
        : String(store);
    const readOne = (key, store) => {
      const [first, ...rest] = parsePath(key);
      const stored = host.read(current, reach, store, String(first));
      const found = stored === undefined && reach === "document" ? moduleOf(first) : stored;
      try {
        return rest.reduce((at, name) => at[name], found);
      } catch (_) {
        return undefined;
      }
    };
    const writeOne = (key, value, store) => {
      const parts = parsePath(key);
      const first = String(parts[0]);
      if (parts.length === 1) return void host.write(current, reach, store, first, value);
      const before = host.read(current, reach, store, first);
      const holder = before === undefined ? {} : { [first]: before };
      // What changes inside of an object goes back at the end of the turn.
      if (assign(holder, parts, value) && holder[first] !== before)
        host.write(current, reach, store, first, holder[first]);
    };
    /** Runs at once, and tells a callback of the outcome if there is one. */
    const run = (callback, action, spread) => {
      if (callback !== undefined && typeof callback !== "function") throw new Error("Callback must be a function");
      if (!callback) return action();
      let result;
      try {
        result = action();
      } catch (error) {
        return void callback(error);
      }
      if (spread) callback(undefined, ...result);
      else callback(undefined, result);
    };
    const checked = (key, store) => {
      const keys = Array.isArray(key) ? key : [key];
      if (!keys.length || !keys.every((one) => isText(one) && one.length > 0)) throw new Error("Invalid context key");
      if (Array.isArray(key)) return { keys, store: inStore(store) };
      const parts = parseContextStore(key);
      return { keys: [parts.key], store: inStore(store || parts.store) };
    };
    return {
      get(key, store, callback) {
        if (!callback && typeof store === "function") [store, callback] = [undefined, store];
        return run(
          callback,
          () => {
            const { keys, store: from } = checked(key, store);
            const found = keys.map((one) => readOne(one, from));
            return Array.isArray(key) ? found : found[0];
          },
          Array.isArray(key),
        );
      },
      set(key, value, store, callback) {
        if (!callback && typeof store === "function") [store, callback] = [undefined, store];
        run(callback, () => {
          const { keys, store: into } = checked(key, store);
          const values = !Array.isArray(key) ? [value] : Array.isArray(value) ? value : [value];
          keys.forEach((one, i) => writeOne(one, i < values.length ? values[i] : null, into));
        });
      },
      keys(store, callback) {
        if (typeof store === "function") [store, callback] = [undefined, store];
        return run(callback, () => host.keys(current, reach, inStore(store)));
      },
    };
  }
  const flow = variables("section");
  const global = variables("document");
  const context = Object.defineProperties(variables("node"), {
    flow: { get: () => flow, enumerable: true },
    global: { get: () => global, enumerable: true },
  });
  const OWN_VARIABLES = { NR_NODE_ID: facts.id, NR_NODE_NAME: facts.name, NR_NODE_PATH: facts.path };
  const env = {
    get(name) {
      if (own(OWN_VARIABLES, name)) return OWN_VARIABLES[name];
      return facts.env && own(facts.env, name) ? facts.env[name] : undefined;
    },
  };

  // ---- timers ------------------------------------------------------------------------------------------------------

  /** The call that the turn belongs to: questions and timers without a call of their own go under it. */
  let current = 0;

  function setTimer(call, run, delay, given, repeats) {
    const fire = () => {
      current = call;
      try {
        run.apply(undefined, given);
      } catch (error) {
        raise(call, error, {});
      }
    };
    return host.timer(call, fire, Number(delay), repeats);
  }
  const clear = (id) => {
    if (typeof id === "number") host.clear(id);
  };
  /** Timers that belong to a call, or to whichever runs. */
  function timersOf(call) {
    const under = () => (call === undefined ? current : call);
    const setTimeout = (run, delay, ...given) => setTimer(under(), run, delay, given, false);
    setTimeout[promisify.custom] = (delay, value) => new Promise((resolve) => setTimeout(() => resolve(value), delay));
    return { setTimeout, setInterval: (run, delay, ...given) => setTimer(under(), run, delay, given, true) };
  }

  // ---- errors ------------------------------------------------------------------------------------------------------

  const OUT_OF_MEMORY = { message: "The function used up its memory", exhausted: true };
  const UNSPEAKABLE = { message: "The function threw what cannot be shown", exhausted: false };
  const isExhausted = (error) =>
    error === null || (error instanceof Error && error.name === "InternalError" && error.message === "out of memory");
  /** The places of an error in the author's own sources; each is wrapped with one line before it. */
  const placesOf = (error) =>
    String(error.stack)
      .split("\n")
      .filter((line) => /\b(source|initialize|finalize):\d/.test(line))
      .map((line) => line.replace(/\b(source|initialize|finalize):(\d+)/, (_, part, at) => `${part}:${at - 1}`));
  const errorText = (error) => (error.stack ? [String(error), ...placesOf(error)].join("\n") : String(error));

  /** What of a reported or thrown thing the host is told. */
  function described(error) {
    const told = { message: String(error), exhausted: false };
    if (error !== null && typeof error === "object") {
      if (own(error, "code")) told.code = String(error.code);
      if (error instanceof Error) told.stack = errorText(error);
      if (own(error, "cause")) told.cause = error.cause;
    }
    return told;
  }
  function thrown(error) {
    try {
      if (isExhausted(error)) return OUT_OF_MEMORY;
      if (error instanceof Error) {
        if (error.name === "ReferenceError" && !Object.isFrozen(error)) {
          const place = /:(\d+):(\d+)\)?$/.exec(placesOf(error)[0]);
          error.message = `${String(error)}${place ? ` (line ${place[1]}, col ${place[2]})` : ""}`;
        }
        return { ...described(error), thrown: { ...error } };
      }
      if (isText(error)) return { message: error, exhausted: false };
      const text = JSON.stringify(error);
      return { message: text === undefined ? String(error) : text, exhausted: false };
    } catch (_) {
      return UNSPEAKABLE;
    }
  }
  /** Tells of something thrown; the message, and then the words, stay behind if they cannot be passed on. */
  function raise(call, error, msg) {
    const told = thrown(error);
    for (const [words, message] of [
      [told, msg],
      [told, undefined],
      [UNSPEAKABLE, undefined],
    ]) {
      try {
        return host.fault(call, words, message);
      } catch (_) {
        /* The next one says less. */
      }
    }
  }
  const logged = (value) =>
    isText(value)
      ? value
      : value instanceof Error
        ? errorText(value)
        : value !== null && typeof value === "object"
          ? inspect(value)
          : String(value);

  // ---- node --------------------------------------------------------------------------------------------------------

  const pending = [];

  /** Sends one message, or a list with what goes over each output. */
  function send(call, id, given, clones, atOnce) {
    if (given === null || given === undefined) return;
    const outputs = (Array.isArray(given) ? given : [given]).map((output) =>
      output ? (Array.isArray(output) ? output : [output]) : [],
    );
    let count = 0;
    const kept = outputs.slice(0, facts.answers).map((messages) =>
      messages.filter((msg) => {
        if (msg === null || msg === undefined) return false;
        if (typeof msg === "object" && !Buffer.isBuffer(msg) && !Array.isArray(msg)) return ++count;
        const type = typeof msg !== "object" ? typeof msg : Buffer.isBuffer(msg) ? "Buffer" : "Array";
        host.log(call, LEVELS.error, "Function tried to send a message of type " + type);
        return false;
      }),
    );
    if (count === 0) return;
    let first = clones;
    const stamp = id || generateId();
    const stamped = kept.map((messages) =>
      messages.map((msg) => {
        const sent = first ? { ...msg } : msg;
        first = false;
        sent._msgid = stamp;
        return sent;
      }),
    );
    if (clones || atOnce) host.send(call, stamped);
    else pending.push([call, host.reserve(call), stamped]);
  }

  const answer = (call, message) =>
    host.send(call, [...Array.from({ length: facts.answers }, () => []), [{ _msgid: generateId(), ...message }]]);
  const dressHttp = makeHttp(
    Buffer,
    (call, text) => host.log(call, LEVELS.warn, text),
    facts.answers === undefined ? undefined : answer,
  );

  const closers = [];
  function nodeOf(call, sendAs, extra) {
    const report = (what, msg) => {
      const told = typeof what === "boolean" ? what : what || "";
      if (msg && typeof msg === "object") host.fault(call, described(told), msg);
      else host.log(call, LEVELS.error, logged(told));
    };
    return {
      id: facts.id,
      name: facts.name,
      path: facts.path,
      outputCount: script.outputs,
      log: (text) => host.log(call, LEVELS.info, logged(text)),
      error: report,
      warn: (text) => host.log(call, LEVELS.warn, logged(text)),
      debug: (text) => host.log(call, LEVELS.debug, logged(text)),
      trace: (text) => host.log(call, LEVELS.trace, logged(text)),
      status(status) {
        const shown = status !== null && typeof status === "object" ? status : { text: String(status) };
        host.status(call, own(shown, "text") ? { ...shown, text: String(shown.text) } : shown);
      },
      send: sendAs,
      ...extra,
    };
  }

  // ---- the three sources -------------------------------------------------------------------------------------------

  const { body, initialize, finalize } = read(host, script);

  /** Whether the source ends messages itself: it calls `node.done`, outside of comments and texts. */
  const code = script.source.replace(
    /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
    "",
  );
  const callsDone = /node\.done\s*\(\s*\)/.test(script.source) && /\bnode\s*\.\s*done\s*\(/.test(code);
  const usesTimers = /setTimeout|setInterval/.test(code);

  const anyTimers = timersOf(undefined);
  const common = usesTimers ? undefined : body(anyTimers.setTimeout, anyTimers.setInterval);
  const bodyFor = (call) => {
    if (common) return common;
    const timers = timersOf(call);
    return body(timers.setTimeout, timers.setInterval);
  };

  /** Undefined once messages may come; until then a promise, and then perhaps the error that stands against them. */
  let starting;
  let broken;

  function start(call) {
    const timers = timersOf(call);
    const node = nodeOf(call, (msgs, clones) => send(call, generateId(), msgs, clones !== false, false), {});
    starting = initialize(
      timers.setTimeout,
      timers.setInterval,
    )(node).then(
      () => {
        starting = undefined;
      },
      (error) => {
        starting = undefined;
        broken = thrown(error);
        host.log(call, LEVELS.error, logged(error));
      },
    );
  }

  function enter(call, msg) {
    if (broken) {
      host.fault(call, { ...broken, message: "The function could not be started: " + broken.message }, msg);
      host.settle(call);
      return;
    }
    const id = msg._msgid;
    dressHttp(call, msg);
    const done = (error) => {
      if (error) host.fault(call, described(error), msg);
      else host.done(call, facts.complete ? msg : undefined);
    };
    const node = nodeOf(call, (msgs, clones) => send(call, id, msgs, clones !== false, false), {
      done,
      on(event, listener) {
        if (event === "input") throw new Error("Cannot add listener to 'input' event within Function");
        if (event === "close") closers.push(listener);
      },
    });
    bodyFor(call)(msg, node.send, done, node)
      .then((results) => {
        send(call, msg._msgid, results, false, true);
        if (!callsDone) done();
      })
      .catch((error) => raise(call, error, msg))
      .then(() => host.settle(call));
  }

  async function close(call) {
    const node = nodeOf(call, () => host.log(call, LEVELS.error, "Cannot send from close function"), {});
    if (finalize) {
      try {
        finalize(anyTimers.setTimeout, anyTimers.setInterval)(node);
      } catch (error) {
        host.log(call, LEVELS.error, logged(error));
      }
    }
    for (const listener of closers.splice(0)) {
      // A listener that takes arguments says itself when it is done: its last one is the function to call.
      try {
        if (listener.length === 0) listener.call(node);
        else
          await new Promise((resolve) =>
            listener.length === 2 ? listener.call(node, false, resolve) : listener.call(node, resolve),
          );
      } catch (_) {
        // What a listener throws while its node is taken away is nobody's any more.
      }
    }
  }

  // ---- the scope ---------------------------------------------------------------------------------------------------

  const RED = {
    util: {
      ensureString,
      ensureBuffer,
      cloneMessage,
      compareObjects,
      generateId,
      getMessageProperty,
      setMessageProperty,
      getObjectProperty,
      setObjectProperty,
      evaluateNodeProperty,
      normalisePropertyExpression,
      normaliseNodeTypeName,
      parseContextStore,
      getSetting() {},
    },
  };
  const scope = {
    console,
    util,
    Buffer,
    URL,
    URLSearchParams,
    RED,
    context,
    flow,
    global,
    env,
    promisify,
    setTimeout: anyTimers.setTimeout,
    clearTimeout: clear,
    setInterval: anyTimers.setInterval,
    clearInterval: clear,
  };
  const named = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
  for (const [name, value] of Object.entries(scope)) named(name, value);
  for (const { var: name, module } of facts.libs || []) {
    if (own(scope, name) || name === "node") throw new Error(`A module cannot be called ${name} here: the name is taken`);
    named(name, moduleOf(module));
  }

  // ---- what the sandbox calls --------------------------------------------------------------------------------------

  return {
    /** Runs `initialize`; `alone` says that nothing else belongs to this call. */
    begin(call, alone) {
      current = call;
      if (initialize) start(call);
      if (alone) Promise.resolve(starting).then(() => host.settle(call));
    },
    /** Calls the body with a message, once `initialize` is done. */
    enter(call, msg) {
      current = call;
      if (starting) starting.then(() => enter(call, msg));
      else enter(call, msg);
    },
    /** Runs `finalize` and what listens to `close`. */
    end(call) {
      current = call;
      close(call).then(() => host.settle(call));
    },
    /** Hands out what was sent without a copy, as it is now. */
    flush() {
      for (const [call, place, outputs] of pending.splice(0)) {
        try {
          host.fill(call, place, outputs);
        } catch (error) {
          raise(call, error, undefined);
        }
      }
    },
  };
})
