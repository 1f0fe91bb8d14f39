//! req and res: what a function finds on the request of a message and on the answer to it, as Express 4 has it (section 11).
//
// Both are objects that the host knows: what is set on the answer stands in its own members `statusCode`, `headers` (names
// in lower case) and `cookies`, which go out with the next answer, whoever gives it. `warn(call, text)` writes to the log;
// `answer(call, message)` gives the answer.
(function (Buffer, warn, answer) {
  "use strict";
  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const isText = (value) => typeof value === "string";

  const TYPES = {
    bin: "application/octet-stream",
    css: "text/css",
    csv: "text/csv",
    gif: "image/gif",
    html: "text/html",
    jpeg: "image/jpeg",
    jpg: "image/jpeg",
    js: "application/javascript",
    json: "application/json",
    jwt: "application/jwt",
    md: "text/markdown",
    multipart: "multipart/*",
    pdf: "application/pdf",
    pem: "application/x-x509-ca-cert",
    png: "image/png",
    svg: "image/svg+xml",
    text: "text/plain",
    txt: "text/plain",
    urlencoded: "application/x-www-form-urlencoded",
    webp: "image/webp",
    xml: "application/xml",
    yaml: "text/yaml",
    zip: "application/zip",
  };
  const STATUSES =
    "200 OK|201 Created|202 Accepted|203 Non-Authoritative Information|204 No Content|205 Reset Content|206 Partial Content|" +
    "300 Multiple Choices|301 Moved Permanently|302 Found|303 See Other|304 Not Modified|307 Temporary Redirect|" +
    "308 Permanent Redirect|400 Bad Request|401 Unauthorized|402 Payment Required|403 Forbidden|404 Not Found|" +
    "405 Method Not Allowed|406 Not Acceptable|407 Proxy Authentication Required|408 Request Timeout|409 Conflict|410 Gone|" +
    "411 Length Required|412 Precondition Failed|413 Payload Too Large|414 URI Too Long|415 Unsupported Media Type|" +
    "416 Range Not Satisfiable|417 Expectation Failed|418 I'm a Teapot|421 Misdirected Request|422 Unprocessable Entity|" +
    "423 Locked|424 Failed Dependency|425 Too Early|426 Upgrade Required|428 Precondition Required|429 Too Many Requests|" +
    "431 Request Header Fields Too Large|451 Unavailable For Legal Reasons|500 Internal Server Error|501 Not Implemented|" +
    "502 Bad Gateway|503 Service Unavailable|504 Gateway Timeout|505 HTTP Version Not Supported|507 Insufficient Storage";
  const EMPTY_ETAG = 'W/"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk"';
  const reasonOf = (status) => {
    const known = STATUSES.split("|").find((one) => one.startsWith(status + " "));
    return known ? known.slice(4) : String(status);
  };
  const typeOf = (name) => {
    if (name.includes("/")) return name;
    const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
    return own(TYPES, ending) ? TYPES[ending] : undefined;
  };

  // ---- what a header asks for --------------------------------------------------------------------------------------

  /** The values of a header that the client would take, each with how much and in what order it was named. */
  const wishes = (header) =>
    header.split(",").map((part, at) => {
      const [value, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      const weight = parameters.map((text) => /^q=([\d.]+)$/.exec(text)).find(Boolean);
      return { value, q: weight ? parseFloat(weight[1]) : 1, at };
    });
  /** How closely a media type is meant by one that may hold `*`; 0 if it is not. */
  const closeType = (wish, type) => {
    if (wish === type) return 3;
    if (wish === "*/*") return 1;
    return wish.endsWith("/*") && type.startsWith(wish.slice(0, -1)) ? 2 : 0;
  };
  /** The same for a charset or an encoding. */
  const closeName = (wish, name) => (wish === name ? 2 : wish === "*" ? 1 : 0);
  /** The same for a language: `en` and `en-GB` mean each other. */
  const closeLanguage = (wish, tag) => {
    if (wish === tag) return 4;
    if (wish.split("-")[0] === tag) return 3;
    return wish === tag.split("-")[0] ? 2 : wish === "*" ? 1 : 0;
  };
  /** The one of `offers` that the client would rather have; false if it would have none. */
  function preferred(asked, offers, { named, close }) {
    const ranked = offers.map((offer, place) => {
      const name = named(offer);
      const fits = asked.map((wish) => ({ ...wish, close: name ? close(wish.value, name.toLowerCase()) : 0 }));
      const [best] = fits.filter((fit) => fit.close).sort((a, b) => b.close - a.close || a.at - b.at);
      return { offer, place, q: 0, ...best };
    });
    const [first] = ranked
      .filter((one) => one.q > 0)
      .sort((a, b) => b.q - a.q || b.close - a.close || a.at - b.at || a.place - b.place);
    return first ? first.offer : false;
  }
  const listed = (given) => (Array.isArray(given[0]) ? given[0] : given);
  /** A function that chooses by a header; `absent` is what no header means, `always` what may be had beside it. */
  const choice = (name, absent, always, manner) =>
    function (...given) {
      const header = this.headers[name];
      const asked = wishes(header === undefined ? absent : header);
      if (always && !asked.some(({ value }) => value === always || value === "*"))
        asked.push({ value: always, q: Math.min(1, ...asked.map(({ q }) => q || 1)), at: asked.length });
      const offers = listed(given);
      if (offers.length) return preferred(asked, offers, manner);
      const taken = asked.filter(({ q }) => q > 0).sort((a, b) => b.q - a.q || a.at - b.at);
      return taken.map(({ value }) => value);
    };
  const asIs = (name) => name;

  // ---- req ---------------------------------------------------------------------------------------------------------

  const request = {
    /** A header by its name, however that is written. */
    get(name) {
      if (!name) throw new TypeError("name argument is required to req.get");
      if (!isText(name)) throw new TypeError("name must be a string to req.get");
      const lower = name.toLowerCase();
      const { headers } = this;
      return lower === "referer" || lower === "referrer" ? headers.referrer || headers.referer : headers[lower];
    },
    header(name) {
      return request.get.call(this, name);
    },
    accepts: choice("accept", "*/*", undefined, { named: typeOf, close: closeType }),
    acceptsCharsets: choice("accept-charset", "*", undefined, { named: asIs, close: closeName }),
    acceptsEncodings: choice("accept-encoding", "identity", "identity", { named: asIs, close: closeName }),
    acceptsLanguages: choice("accept-language", "*", undefined, { named: asIs, close: closeLanguage }),
    /** Which of these types the body has; null without a body, false if none. */
    is(...given) {
      const { headers } = this;
      if (headers["transfer-encoding"] === undefined && isNaN(headers["content-length"])) return null;
      const type = String(headers["content-type"] || "").split(";")[0].trim().toLowerCase();
      if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return false;
      const offers = listed(given);
      if (!offers.length) return type;
      const meant = (offer) => {
        if (offer.startsWith("+")) return type.endsWith(offer);
        const [kind, subtype] = (typeOf(offer) || "").split("/");
        const [hasKind, hasSubtype] = type.split("/");
        if (!subtype || (kind !== "*" && kind !== hasKind)) return false;
        return subtype.startsWith("*+") ? hasSubtype.endsWith(subtype.slice(1)) : subtype === "*" || subtype === hasSubtype;
      };
      const found = offers.find(meant);
      return found === undefined ? false : found.includes("*") || found.startsWith("+") ? type : found;
    },
    param(name, otherwise) {
      for (const all of [this.params, this.body, this.query])
        if (all !== null && typeof all === "object" && own(all, name)) return all[name];
      return otherwise;
    },
  };
  const subdomains = {
    get() {
      const { hostname } = this;
      return !hostname || /^[\d.]+$|:/.test(hostname) ? [] : hostname.split(".").reverse().slice(2);
    },
  };
  // Nothing is set on the answer yet that the client's own copy could be compared with.
  const fresh = { get: () => false };

  // ---- res ---------------------------------------------------------------------------------------------------------

  /** What an answer of this turn belongs to: its call and the request. */
  const turns = new WeakMap();
  const within = (object, name, empty) => (own(object, name) ? object[name] : (object[name] = empty));
  const headerOf = (res, name) => (own(res, "headers") ? res.headers[name.toLowerCase()] : undefined);
  const say = (res, payload, ended) => {
    const { call } = turns.get(res);
    answer(call, { res, payload, statusCode: own(res, "statusCode") ? res.statusCode : 200, ended });
    return res;
  };
  const inText = (value) => (Array.isArray(value) ? value.map(String) : String(value));
  const escaped = (text) =>
    text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);

  const response = {
    status(code) {
      this.statusCode = code;
      return this;
    },
    set(name, value) {
      if (isText(name)) {
        if (arguments.length === 1) throw new TypeError("res.set needs a value for " + name);
        within(this, "headers", {})[name.toLowerCase()] = inText(value);
      } else for (const key of Object.keys(name)) response.set.call(this, key, name[key]);
      return this;
    },
    get(name) {
      return headerOf(this, name);
    },
    append(name, value) {
      const before = headerOf(this, name);
      return response.set.call(this, name, before === undefined ? value : [].concat(before, value));
    },
    vary(names) {
      const before = headerOf(this, "vary");
      const known = before ? String(before).split(/\s*,\s*/) : [];
      for (const name of [].concat(names))
        if (!known.some((one) => one === "*" || one.toLowerCase() === name.toLowerCase())) known.push(name);
      return response.set.call(this, "vary", known.join(", "));
    },
    type(name) {
      return response.set.call(this, "content-type", typeOf(name) || "application/octet-stream");
    },
    links(links) {
      const written = Object.keys(links).map((rel) => `<${links[rel]}>; rel="${rel}"`);
      const before = headerOf(this, "link");
      return response.set.call(this, "link", (before ? before + ", " : "") + written.join(", "));
    },
    attachment(name) {
      if (name) response.type.call(this, name);
      return response.set.call(this, "content-disposition", name ? `attachment; filename="${name}"` : "attachment");
    },
    cookie(name, value, options) {
      const held = value !== null && typeof value === "object" ? "j:" + JSON.stringify(value) : String(value);
      within(this, "cookies", []).push({ [name]: { path: "/", ...options, value: held } });
      return this;
    },
    clearCookie(name, options) {
      within(this, "cookies", []).push({ [name]: { path: "/", ...options, value: null } });
      return this;
    },
    location(url) {
      const meant = url === "back" ? request.get.call(turns.get(this).req, "Referrer") || "/" : String(url);
      return response.set.call(this, "location", encodeURI(meant.toWellFormed()).replace(/%25([0-9a-f]{2})/gi, "%$1"));
    },
    redirect(...given) {
      const [status, url] = given.length < 2 ? [302, given[0]] : isText(given[0]) ? [given[1], given[0]] : given;
      response.location.call(this, url);
      response.vary.call(this, "Accept");
      const { req } = turns.get(this);
      const offered = req ? request.accepts.call(req, "text", "html") : "text";
      const isHtml = offered === "html";
      if (offered) response.type.call(this, offered);
      this.statusCode = status;
      const to = headerOf(this, "location");
      const body = `${reasonOf(status)}. Redirecting to ${isHtml ? escaped(to) : to}`;
      say(this, offered ? (isHtml ? `<p>${body}</p>` : body) : "", true);
    },
    sendStatus(code) {
      this.statusCode = code;
      response.type.call(this, "txt");
      return say(this, reasonOf(code), false);
    },
    send(...given) {
      if (given.length > 1) {
        const [status, body] = typeof given[0] !== "number" && typeof given[1] === "number" ? [given[1], given[0]] : given;
        this.statusCode = status;
        return sendOne(this, body);
      }
      const [body] = given;
      if (typeof body !== "number") return sendOne(this, body);
      if (headerOf(this, "content-type") === undefined) response.type.call(this, "txt");
      this.statusCode = body;
      return say(this, reasonOf(body), false);
    },
    json(value) {
      if (headerOf(this, "content-type") === undefined) response.type.call(this, "json");
      return say(this, JSON.stringify(value), false);
    },
    jsonp(value) {
      return value !== null && typeof value === "object" ? say(this, value, false) : response.json.call(this, value);
    },
    end(body) {
      return say(this, body, true);
    },
  };
  function sendOne(res, body) {
    if (body === null) {
      if (headerOf(res, "etag") === undefined) response.set.call(res, "etag", EMPTY_ETAG);
      return say(res, "", true);
    }
    const plain = isText(body) || body === undefined || Buffer.isBuffer(body);
    return plain ? say(res, body, false) : response.json.call(res, body);
  }

  // ---- on their objects ----------------------------------------------------------------------------------------------

  const hidden = (members) => {
    const all = {};
    for (const [name, value] of Object.entries(members)) all[name] = { value, writable: true, configurable: true };
    return all;
  };
  const requests = Object.create(Object.prototype, { ...hidden(request), subdomains, fresh });
  const warned = {};
  for (const [name, run] of Object.entries(response))
    warned[name] = function (...given) {
      const turn = turns.get(this);
      warn(turn.call, `msg.res.${name} is outdated: an http response node answers`);
      return run.apply(this, given);
    };
  const responses = Object.create(Object.prototype, {
    ...hidden(warned),
    // What is called on it is called on the answer itself.
    _res: { get() { return this; } },
  });
  const isPlain = (object) =>
    object !== null && typeof object === "object" && Object.getPrototypeOf(object) === Object.prototype;
  /** The host marks the objects that stand for something of its own. */
  const isMarked = (object) => isPlain(object) && Object.getOwnPropertySymbols(object).length === 1;

  /** Gives the request and the answer of a message their functions, for this call. */
  return function (call, { req, res }) {
    const isRequest = isPlain(req) && req.headers;
    if (isRequest && !req.get) Object.setPrototypeOf(req, requests);
    if (!answer || !isMarked(res)) return;
    turns.set(res, { call, req: isRequest ? req : undefined });
    Object.setPrototypeOf(res, responses);
  };
})
