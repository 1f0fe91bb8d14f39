//! URL and URLSearchParams, over the host's reading of URLs.
(function (host) {
  "use strict";

  const plus = { "!": "%21", "'": "%27", "(": "%28", ")": "%29", "~": "%7E", "%20": "+" };
  const formEncode = (text) => encodeURIComponent(text.toWellFormed()).replace(/[!'()~]|%20/g, (found) => plus[found]);
  const formDecode = (text) => {
    const spaced = text.replaceAll("+", " ");
    if (!spaced.includes("%")) return spaced;
    const octets = [];
    for (const part of spaced.split(/(%[0-9a-f]{2})/i)) {
      if (/^%[0-9a-f]{2}$/i.test(part)) octets.push(parseInt(part.slice(1), 16));
      else for (const octet of host.encode("utf8", part)) octets.push(octet);
    }
    return host.decode("utf8", Uint8Array.from(octets));
  };

  class URLSearchParams {
    #pairs = [];
    #changed = () => {};
    constructor(init, changed) {
      if (changed) this.#changed = changed;
      if (init === undefined || init === null) return;
      if (typeof init === "object" && typeof init[Symbol.iterator] === "function") {
        for (const [name, value] of init) this.#pairs.push([String(name), String(value)]);
      } else if (typeof init === "object") {
        for (const name of Object.keys(init)) this.#pairs.push([name, String(init[name])]);
      } else this.#read(String(init));
    }
    #read(text) {
      this.#pairs = text
        .replace(/^\?/, "")
        .split("&")
        .filter((pair) => pair !== "")
        .map((pair) => {
          const at = pair.indexOf("=");
          return at < 0 ? [formDecode(pair), ""] : [formDecode(pair.slice(0, at)), formDecode(pair.slice(at + 1))];
        });
    }
    static reread(params, text) {
      params.#read(text);
    }
    get size() {
      return this.#pairs.length;
    }
    append(name, value) {
      this.#pairs.push([String(name), String(value)]);
      this.#changed();
    }
    delete(name, value) {
      this.#pairs = this.#pairs.filter(
        ([key, held]) => key !== String(name) || (value !== undefined && held !== String(value)),
      );
      this.#changed();
    }
    get(name) {
      const pair = this.#pairs.find(([key]) => key === String(name));
      return pair ? pair[1] : null;
    }
    getAll(name) {
      return this.#pairs.filter(([key]) => key === String(name)).map((pair) => pair[1]);
    }
    has(name, value) {
      return this.#pairs.some(([key, held]) => key === String(name) && (value === undefined || held === String(value)));
    }
    set(name, value) {
      const at = this.#pairs.findIndex(([key]) => key === String(name));
      if (at < 0) this.#pairs.push([String(name), String(value)]);
      else
        this.#pairs = this.#pairs
          .filter(([key], i) => i <= at || key !== String(name))
          .with(at, [String(name), String(value)]);
      this.#changed();
    }
    sort() {
      this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed();
    }
    forEach(run, self) {
      for (const [name, value] of this.#pairs) run.call(self, value, name, this);
    }
    *entries() {
      yield* this.#pairs.map((pair) => [...pair]);
    }
    *keys() {
      for (const [name] of this.#pairs) yield name;
    }
    *values() {
      for (const [, value] of this.#pairs) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return this.#pairs.map((pair) => pair.map(formEncode).join("=")).join("&");
    }
    get [Symbol.toStringTag]() {
      return "URLSearchParams";
    }
  }
  const { reread } = URLSearchParams;
  delete URLSearchParams.reread;

  class URL {
    #parts;
    #params;
    constructor(input, base) {
      this.#parts = host.url(String(input), base === undefined ? undefined : String(base));
      if (!this.#parts)
        throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input: String(input) });
      this.#params = new URLSearchParams(this.#parts.search, () => {
        this.#parts = host.urlWith(this.#parts.href, "search", this.#params.toString());
      });
    }
    static canParse(input, base) {
      return Boolean(host.url(String(input), base === undefined ? undefined : String(base)));
    }
    static parse(input, base) {
      return URL.canParse(input, base) ? new URL(input, base) : null;
    }
    static part(url, name) {
      return url.#parts[name];
    }
    static change(url, name, value) {
      url.#parts = host.urlWith(url.#parts.href, name, String(value));
      if (name === "search") reread(url.#params, url.#parts.search);
    }
    get href() {
      return this.#parts.href;
    }
    set href(value) {
      const parts = host.url(String(value), undefined);
      if (!parts) throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL" });
      this.#parts = parts;
      reread(this.#params, parts.search);
    }
    get origin() {
      return this.#parts.origin;
    }
    get searchParams() {
      return this.#params;
    }
    toString() {
      return this.#parts.href;
    }
    toJSON() {
      return this.#parts.href;
    }
    get [Symbol.toStringTag]() {
      return "URL";
    }
  }
  const { part, change } = URL;
  delete URL.part;
  delete URL.change;
  for (const name of ["protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"]) {
    Object.defineProperty(URL.prototype, name, {
      get() {
        return part(this, name);
      },
      set(value) {
        change(this, name, value);
      },
      configurable: true,
      enumerable: true,
    });
  }

  return { URL, URLSearchParams };
})
