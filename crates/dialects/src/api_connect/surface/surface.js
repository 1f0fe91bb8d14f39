//! What a gatewayscript, a condition and a value of `map` find around them: section 11 of the contract, over the sandbox's host.
//
// Evaluated once for each step, to a function that the sandbox calls with its host (crates/sandbox/src/worker/host.rs) and
// the script: {source, outputs, facts: {cases?}}. A step with `facts.cases` is a choice: each case is an expression, and the
// message leaves by the output of the first that is true, or by the last output. Any other step is a program.
//
// The realm is shared by all requests, so nothing of one may stay in it for the next: the language's own objects are frozen,
// and what a program leaves behind in its global scope goes into an object that ends with the call.
(function (host, script, makeBuffer, makeWeb, makeRealm) {
  "use strict";
  const { facts } = script;
  const Buffer = makeBuffer(host);
  const { URL, URLSearchParams } = makeWeb(host);
  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const isText = (value) => typeof value === "string";
  const isObject = (value) => value !== null && typeof value === "object";
  const isPlain = (value) => isObject(value) && !ArrayBuffer.isView(value);

  // ---- names (section 5) -------------------------------------------------------------------------------------------

  const HEADER_ROOTS = /^(request|message)\.headers\.(?=.)/;
  const ALIASES = { "message.statusCode": "message.status.code", "message.statusReason": "message.status.reason" };

  /** The steps of the way that a name leads: dots, brackets, headers without regard to capitals. */
  function way(name) {
    const text = ALIASES[name] || String(name);
    const steps = [];
    let rest = text;
    while (rest !== "") {
      const boxed = /^\[([^\]]*)\]\.?/.exec(rest);
      const plain = boxed ? null : /^.[^.[]*\.?/s.exec(rest);
      if (boxed) steps.push(boxed[1].replace(/^['"]|['"]$/g, ""));
      else steps.push(plain[0].replace(/\.$/, ""));
      rest = rest.slice((boxed || plain)[0].length);
    }
    if (HEADER_ROOTS.test(steps.join("."))) return [...steps.slice(0, 2), steps.slice(2).join(".").toLowerCase()];
    return steps;
  }
  const member = (value, step) => (isPlain(value) && own(value, step) ? value[step] : undefined);
  const read = (context, name) => way(name).reduce(member, context);

  /** Where a name's value stands: its holder, made on the way, and the last step. */
  function place(context, name) {
    const steps = way(name);
    const last = steps.pop();
    let at = context;
    for (const step of steps) {
      if (step === "__proto__") throw new Error(`The variable ${name} cannot be written`);
      if (!own(at, step) || at[step] === undefined || at[step] === null) at[step] = {};
      at = at[step];
      if (!isPlain(at)) throw new Error(`The variable ${name} cannot be written: ${step} holds a value of its own`);
    }
    if (last === undefined || last === "__proto__") throw new Error(`The variable ${name} cannot be written`);
    return [at, last];
  }
  function write(context, name, value) {
    const [at, last] = place(context, name);
    at[last] = value;
  }
  function clear(context, name) {
    const steps = way(name);
    const last = steps.pop();
    const at = steps.reduce(member, context);
    if (isPlain(at)) delete at[last];
  }
  function add(context, name, value) {
    const stood = read(context, name);
    if (stood === undefined) write(context, name, [value]);
    else if (Array.isArray(stood)) stood.push(value);
    else write(context, name, [stood, value]);
  }
  /** A variable of that name, else a property of the API (section 5). */
  function variable(context, name) {
    const found = read(context, name);
    if (found !== undefined) return found;
    const properties = read(context, "api.properties");
    return isPlain(properties) && own(properties, name) ? properties[name] : undefined;
  }

  // ---- bodies ------------------------------------------------------------------------------------------------------

  const bodyText = (body) =>
    isText(body) ? body : body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body);
  const isEmpty = (body) => body === undefined || body === null || body === "";
  /** Calls back behind the program: with an error if there is no body, or what was made of it. */
  const readBody = (call, body, make, callback) =>
    later(call, () => {
      let value;
      try {
        if (isEmpty(body())) throw new Error("The body is empty");
        value = make(body());
      } catch (error) {
        return callback(error);
      }
      callback(null, value);
    });
  const asBuffer = (body) => (body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(bodyText(body)));
  const asJson = (body) => (isPlain(body) ? JSON.parse(JSON.stringify(body)) : JSON.parse(bodyText(body)));
  const noXml = () => {
    throw new Error("XML cannot be read by scripts here");
  };
  const readers = (call, body) => ({
    readAsJSON: (callback) => readBody(call, body, asJson, callback),
    readAsBuffer: (callback) => readBody(call, body, asBuffer, callback),
    readAsBuffers: (callback) => readBody(call, body, (octets) => ({ toBuffer: () => asBuffer(octets) }), callback),
    readAsXML: (callback) => readBody(call, body, noXml, callback),
  });

  // ---- one call ----------------------------------------------------------------------------------------------------

  const LEVELS = { trace: 0, debug: 1, log: 2, info: 2, notice: 2, warn: 3, error: 4, critical: 4, alert: 4, emerg: 4 };
  const COMPACT = /\b(ey[\w-]+\.[\w-]+)\.[\w-]+(\.[\w-]*){0,2}/g;
  function shown(value) {
    if (isText(value)) return value;
    if (value instanceof Error) return String(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString();
    const text = JSON.stringify(value);
    return text === undefined ? String(value) : text;
  }
  function format(first, ...rest) {
    const text = isText(first)
      ? first.replace(/%[sdj%]/g, (mark) => (mark === "%%" ? "%" : rest.length ? shown(rest.shift()) : mark))
      : shown(first);
    return [text, ...rest.map(shown)].join(" ");
  }

  /** What a program of this call sees, and what is still to be done for it. */
  function open(call, msg) {
    const state = { call, msg, queue: [], timers: 0, rejected: undefined, finished: false };
    const message = () => (isPlain(msg.message) ? msg.message : (msg.message = {}));
    const headers = (root) => ({
      get: (name) => {
        const all = read(msg, root + ".headers");
        if (name === undefined) return all;
        return read(msg, root + ".headers." + name);
      },
      set: (name, value) => write(msg, root + ".headers." + name, value),
      remove: (name) => clear(msg, root + ".headers." + name),
    });
    const setBody = (value) => {
      message().body = value instanceof Uint8Array ? Buffer.from(value) : value;
    };
    const body = (root) => ({ ...readers(state, () => read(msg, root + ".body")), write: setBody });
    const setStatus = (value) => {
      const parts = /^\s*(\d{3})(?:\s+(.*))?$/.exec(String(value));
      if (!parts) throw new Error("The status code is none: " + value);
      write(msg, "message.status.code", Number(parts[1]));
      if (parts[2]) write(msg, "message.status.reason", parts[2]);
    };
    const side = (root) => ({
      body: body(root),
      header: headers(root),
      headers: headers(root),
      get statusCode() {
        return read(msg, "message.status.code");
      },
      set statusCode(value) {
        setStatus(value);
      },
      get statusReason() {
        return read(msg, "message.status.reason");
      },
      set statusReason(value) {
        write(msg, "message.status.reason", value);
      },
    });
    const reject = (name, text) => {
      state.rejected = { name: String(name), text: text === undefined ? String(name) : String(text) };
    };
    const context = {
      get: (name) => variable(msg, name),
      getVariable: (name) => variable(msg, name),
      set: (name, value) => write(msg, name, value),
      setVariable: (name, value) => write(msg, name, value),
      clear: (name) => clear(msg, name),
      clearVariable: (name) => clear(msg, name),
      reject,
      message: side("message"),
      request: side("request"),
    };
    const apim = {
      getvariable: (name) => variable(msg, name),
      setvariable(name, value, verb) {
        if (verb === "add") add(msg, name, value);
        else if (verb === "clear") clear(msg, name);
        else write(msg, name, value);
      },
      readInputAsJSON: (callback) => context.message.body.readAsJSON(callback),
      readInputAsBuffer: (callback) => context.message.body.readAsBuffer(callback),
      readInputAsXML: (callback) => context.message.body.readAsXML(callback),
      output: (type) => write(msg, "message.headers.content-type", type),
      getContext: (name) => variable(msg, name),
      error(name, code, reason, text) {
        reject(name, text);
        state.rejected.status = { code: Number(code) || 500, reason: String(reason || "Internal Server Error") };
      },
      console: undefined,
    };
    const session = {
      name: (name) => ({
        getVar: (variable) => read(msg, `session.${name}.${variable}`),
        setVar: (variable, value) => write(msg, `session.${name}.${variable}`, value),
        getVariable: (variable) => read(msg, `session.${name}.${variable}`),
        setVariable: (variable, value) => write(msg, `session.${name}.${variable}`, value),
      }),
      input: context.message.body,
      output: { write: setBody },
      parameters: {},
      reject: (text) => reject("RuntimeError", text),
    };
    const console = {};
    for (const [name, level] of Object.entries(LEVELS))
      console[name] = (...values) => host.log(call, level, format(...values).replace(COMPACT, "$1.***"));
    console.options = () => console;
    apim.console = console;
    const wrapped = (root) => {
      const all = headers(root);
      return { current: all, original: all, response: { ...all, set statusCode(value) { setStatus(value); } }, ...all };
    };
    const urlopen = { open: (options, callback) => openUrl(state, options, callback) };
    const modules = {
      apim,
      "./apim.custom.js": apim,
      "local:///isp/policy/apim.custom.js": apim,
      buffer: { Buffer },
      url: { URL, URLSearchParams, parse: parseUrl },
      querystring: { parse: parseQuery },
      util: { format },
      urlopen,
      "header-metadata": wrapped("message"),
    };
    const require = (name) => {
      if (own(modules, name)) return modules[name];
      throw new Error(`The module ${name} is not available`);
    };
    state.given = { apim, context, session, console, require, ...timersOf(state) };
    return state;
  }

  // ---- urlopen -----------------------------------------------------------------------------------------------------

  /** Octets to be sent, and their media type if the script names none. */
  function sentBody(data) {
    if (data === undefined || data === null) return [undefined, undefined];
    if (isText(data)) return [Buffer.from(data), undefined];
    if (data instanceof Uint8Array) return [data, undefined];
    return [Buffer.from(JSON.stringify(data)), "application/json"];
  }
  function sentHeaders({ headers, contentType }, usual) {
    const sent = {};
    for (const [name, value] of Object.entries(headers || {})) sent[name.toLowerCase()] = String(value);
    const kind = contentType || (own(sent, "content-type") ? undefined : usual);
    if (kind) sent["content-type"] = String(kind);
    return sent;
  }
  function openUrl(state, options, callback) {
    const failed = (text) => callback(Object.assign(new Error(text), { errorMessage: text }));
    const asked = isText(options) ? { target: options } : options || {};
    const [body, usual] = sentBody(asked.data);
    const wish = {
      url: String(asked.target),
      method: String(asked.method || "GET").toUpperCase(),
      headers: sentHeaders(asked, usual),
      body,
      timeout: Number(asked.timeout) * 1000 || undefined,
    };
    try {
      host.wish(state.call, wish, (error, found) => {
        state.timers--;
        guarded(state, () => (error === undefined ? callback(null, answered(state, found)) : failed(error)));
      });
      state.timers++;
    } catch (error) {
      later(state, () => failed(String(error.message)));
    }
  }
  const answered = (state, { statusCode, reasonPhrase, headers, body }) => ({
    statusCode,
    reasonPhrase,
    headers,
    get: (...names) => headers[String(names[names.length - 1]).toLowerCase()],
    ...readers(state, () => (body.length ? body : undefined)),
    discard: (callback) => later(state, () => callback && callback(null)),
    disconnect() {},
  });

  function parseQuery(text) {
    const found = {};
    for (const [name, value] of new URLSearchParams(text))
      found[name] = own(found, name) ? [].concat(found[name], value) : value;
    return found;
  }
  function parseUrl(text, withQuery) {
    const absolute = /^[a-z][a-z0-9+.-]*:/i.test(text);
    const url = new URL(text, absolute ? undefined : "http://relative.invalid");
    const query = url.search.slice(1);
    return {
      href: text,
      protocol: absolute ? url.protocol : null,
      host: absolute ? url.host : null,
      hostname: absolute ? url.hostname : null,
      port: absolute ? url.port || null : null,
      pathname: url.pathname,
      search: url.search || null,
      query: withQuery ? parseQuery(query) : query || null,
      path: url.pathname + url.search,
      hash: url.hash || null,
    };
  }

  // ---- what runs when ----------------------------------------------------------------------------------------------

  const later = (state, run) => void state.queue.push(run);
  function timersOf(state) {
    const ids = new Set();
    const setTimeout = (run, delay, ...given) => {
      state.timers++;
      const id = host.timer(state.call, () => fire(), Number(delay), false);
      const fire = () => {
        ids.delete(id);
        state.timers--;
        guarded(state, () => run(...given));
      };
      ids.add(id);
      return id;
    };
    const clearTimeout = (id) => {
      if (!ids.delete(id)) return;
      host.clear(id);
      state.timers--;
    };
    return { setTimeout, clearTimeout, setImmediate: (run, ...given) => setTimeout(run, 0, ...given) };
  }

  /** Runs a part of a program and what it has asked to be called back with; ends the step when nothing is left. */
  function guarded(state, run) {
    if (state.finished) return;
    try {
      run();
      while (state.queue.length) state.queue.shift()();
    } catch (error) {
      return fail(state, error);
    }
    if (state.timers === 0) rest(state);
  }
  const usesPromises = /\b(Promise|async|await)\b/.test(script.source);
  /** Nothing is left to wait for but promises: their jobs have run when the next timer is due. */
  function rest(state) {
    if (!usesPromises) return finish(state);
    state.timers++;
    host.timer(state.call, () => {
      state.timers--;
      if (state.queue.length) guarded(state, () => {});
      else if (state.timers === 0) finish(state);
    }, 1, false);
  }
  function finish(state) {
    if (state.finished) return;
    state.finished = true;
    if (state.rejected) raiseRejected(state);
    else {
      try {
        host.send(state.call, [[state.msg]]);
      } catch (error) {
        raise(state, "JavaScriptError", error, undefined);
      }
    }
    host.settle(state.call);
  }
  function fail(state, error) {
    if (state.finished) return;
    state.finished = true;
    raise(state, "JavaScriptError", error, undefined);
    host.settle(state.call);
  }
  const isExhausted = (error) =>
    error === null || (error instanceof Error && error.name === "InternalError" && error.message === "out of memory");
  const placesOf = (error) =>
    String(error.stack)
      .split("\n")
      .filter((line) => /\bsource:\d/.test(line))
      .map((line) => line.replace(/\bsource:(\d+)/, (_, at) => `source:${at - 1}`));
  function raise(state, code, error, thrown) {
    const told = isExhausted(error)
      ? { message: "The script used up its memory", exhausted: true }
      : { message: String(error), code, thrown, exhausted: false };
    if (error instanceof Error) told.stack = [String(error), ...placesOf(error)].join("\n");
    try {
      host.fault(state.call, told, state.msg);
    } catch (_) {
      host.fault(state.call, { message: "The script threw what cannot be shown", code, exhausted: false }, undefined);
    }
  }
  function raiseRejected(state) {
    const { name, text, status } = state.rejected;
    const set = Number(read(state.msg, "message.status.code"));
    const reason = read(state.msg, "message.status.reason");
    const code = set >= 400 ? set : 500;
    const told = status || { code, reason: isText(reason) ? reason : REASONS[code] || "Error" };
    raise(state, name, text, { status: told, information: text });
  }
  const REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
  };

  // ---- scopes ------------------------------------------------------------------------------------------------------

  const GIVEN = ["apim", "context", "session", "console", "require", "setTimeout", "clearTimeout", "setImmediate"];
  const { globalsOf, seal } = makeRealm(script.source, { Buffer, URL, URLSearchParams });
  /** What a condition is given besides the context's roots, which are names in it; a root that is not set is undefined. */
  const HELPERS = ["$roots", "$value", "$text", "apim", "context"];
  const rootsOf = (msg) =>
    new Proxy(
      { __proto__: null },
      {
        has: (_, name) => isText(name) && !HELPERS.includes(name) && (own(msg, name) || !(name in globalThis)),
        get: (_, name) => (isText(name) && own(msg, name) ? msg[name] : undefined),
        set: () => true,
      },
    );

  // Compiled in sloppy mode: `with` is what gives each call a global scope of its own.
  const compiled = (before, source, after) => host.compile("source", before, source, after);
  const parameters = GIVEN.join(", ");
  const program = facts.cases
    ? null
    : compiled(`(function ($globals) { with ($globals) { return function (${parameters}) { return (function () {`,
        script.source,
        "}).call($globals); }; } })");
  const cases = (facts.cases || []).map((source) =>
    compiled(`(function (${HELPERS.join(", ")}) { with ($roots) { return (`, source, "); } })"),
  );

  seal();

  // ---- what the sandbox calls --------------------------------------------------------------------------------------

  function choose(state) {
    const { msg, call } = state;
    const value = (name) => variable(msg, name);
    const text = (name) => {
      const found = value(name);
      return found === undefined ? "" : shown(found);
    };
    const given = [rootsOf(msg), value, text, state.given.apim, state.given.context];
    let taken = cases.length;
    try {
      const found = cases.findIndex((test) => test(...given));
      if (found >= 0) taken = found;
    } catch (error) {
      return fail(state, error);
    }
    state.finished = true;
    host.send(call, Array.from({ length: taken + 1 }, (_, at) => (at === taken ? [msg] : [])));
    host.settle(call);
  }

  return {
    begin(call, alone) {
      if (alone) host.settle(call);
    },
    enter(call, msg) {
      const state = open(call, msg);
      if (!program) return choose(state);
      const scope = globalsOf();
      const given = GIVEN.map((name) => state.given[name]);
      guarded(state, () => {
        const result = program(scope)(...given);
        if (result && typeof result.then === "function") {
          state.timers++;
          const done = (error) => {
            state.timers--;
            guarded(state, () => {
              if (error) throw error.thrown;
            });
          };
          result.then(() => done(), (thrown) => done({ thrown }));
        }
      });
    },
    end(call) {
      host.settle(call);
    },
    flush() {},
  };
})
