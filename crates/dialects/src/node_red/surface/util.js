//! util: what Node.js offers for showing values and for older styles of asynchronous code.
(function (Buffer, later) {
  "use strict";
  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const isText = (value) => typeof value === "string";

  const custom = Symbol.for("nodejs.util.inspect.custom");
  const promisified = Symbol.for("nodejs.util.promisify.custom");
  const quote = (text) =>
    text.includes("'") ? JSON.stringify(text) : "'" + JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"') + "'";
  const errorText = (error) => (error.stack ? `${String(error)}\n${String(error.stack).trimEnd()}` : String(error));
  const LINE_CHARS_MAX = 72;
  const ITEMS_MAX = 100;

  function inspect(value, options) {
    const depth = options && options.depth !== undefined ? (options.depth === null ? Infinity : options.depth) : 2;
    const around = [];
    const name = (key) =>
      typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
    const named = (object) => {
      const proto = Object.getPrototypeOf(object);
      if (proto === null) return "[Object: null prototype] ";
      const { constructor } = proto;
      return typeof constructor !== "function" || constructor === Object || constructor === Array
        ? ""
        : constructor.name + " ";
    };
    const join = (head, open, items, close) => {
      if (!items.length) return head + open + close;
      const line = `${head}${open} ${items.join(", ")} ${close}`;
      if (line.length <= LINE_CHARS_MAX + 4 && !line.includes("\n")) return line;
      return `${head}${open}\n${items.map((item) => "  " + item.replaceAll("\n", "\n  ")).join(",\n")}\n${close}`;
    };
    const show = (item, level) => {
      if (isText(item)) return level === 0 && options && options.bare ? item : quote(item);
      if (typeof item === "bigint") return item + "n";
      if (Object.is(item, -0)) return "-0";
      if (typeof item === "function")
        return `[${item.toString().startsWith("class") ? "class" : "Function"}${item.name ? (item.toString().startsWith("class") ? " " : ": ") + item.name : " (anonymous)"}]`;
      if (item === null || typeof item !== "object") return String(item);
      if (typeof item[custom] === "function") {
        const own = item[custom](depth - level, {}, inspect);
        return isText(own) ? own : show(own, level);
      }
      if (around.includes(item)) return "[Circular *1]";
      if (item instanceof Date) return isNaN(item) ? "Invalid Date" : item.toISOString();
      if (item instanceof RegExp) return String(item);
      if (item instanceof Error) return level === 0 || !item.stack ? errorText(item) : `[${errorText(item)}]`;
      if (item instanceof Buffer)
        return `<Buffer${Array.from(item.subarray(0, 50), (octet) => " " + octet.toString(16).padStart(2, "0")).join("")}${item.length > 50 ? ` ... ${item.length - 50} more bytes` : ""}>`;
      if (item instanceof Promise) return "Promise { <pending> }";
      const head = named(item);
      if (level > depth && Object.keys(item).length)
        return Array.isArray(item) ? "[Array]" : `[${head.trim() || "Object"}]`;
      around.push(item);
      try {
        return whole(item, head, level);
      } finally {
        around.pop();
      }
    };
    const whole = (item, head, level) => {
      const inner = (value) => show(value, level + 1);
      const pairs = (keys) =>
        keys.map((key) => {
          const { get, set, value } = Object.getOwnPropertyDescriptor(item, key) || {};
          return `${name(key)}: ${get ? (set ? "[Getter/Setter]" : "[Getter]") : set ? "[Setter]" : inner(value)}`;
        });
      if (Array.isArray(item) || ArrayBuffer.isView(item)) {
        const shown = Array.from(item.length > ITEMS_MAX ? item.slice(0, ITEMS_MAX) : item, inner);
        if (item.length > ITEMS_MAX) shown.push(`... ${item.length - ITEMS_MAX} more items`);
        return join(
          head && `${head.trim()}(${item.length}) `,
          "[",
          shown.concat(pairs(Object.keys(item).filter((key) => !/^\d+$/.test(key)))),
          "]",
        );
      }
      if (item instanceof Map)
        return join(
          `Map(${item.size}) `,
          "{",
          Array.from(item, ([key, value]) => `${inner(key)} => ${inner(value)}`),
          "}",
        );
      if (item instanceof Set) return join(`Set(${item.size}) `, "{", Array.from(item, inner), "}");
      return join(
        head,
        "{",
        pairs([
          ...Object.keys(item),
          ...Object.getOwnPropertySymbols(item).filter((key) => Object.prototype.propertyIsEnumerable.call(item, key)),
        ]),
        "}",
      );
    };
    return show(value, 0);
  }
  inspect.custom = custom;

  function format(...values) {
    const plain = (value) => (isText(value) ? value : inspect(value));
    if (!isText(values[0])) return values.map(plain).join(" ");
    let next = 1;
    const text = values[0].replace(/%[sdifjoOc%]/g, (found) => {
      if (found === "%%") return values.length > 1 ? "%" : found;
      if (next >= values.length) return found;
      const value = values[next++];
      switch (found) {
        case "%s":
          return typeof value === "bigint"
            ? value + "n"
            : value !== null && typeof value === "object"
              ? inspect(value, { depth: 0 })
              : Object.is(value, -0)
                ? "-0"
                : String(value);
        case "%d":
          return typeof value === "bigint" ? value + "n" : typeof value === "symbol" ? "NaN" : String(Number(value));
        case "%i":
          return typeof value === "bigint" ? value + "n" : typeof value === "symbol" ? "NaN" : String(parseInt(value));
        case "%f":
          return typeof value === "symbol" ? "NaN" : String(parseFloat(value));
        case "%j":
          try {
            return JSON.stringify(value);
          } catch (_) {
            return "[Circular]";
          }
        case "%o":
          return inspect(value, { depth: 4 });
        case "%O":
          return inspect(value);
        default:
          return "";
      }
    });
    return [text, ...values.slice(next).map(plain)].join(" ");
  }

  function promisify(original) {
    if (typeof original !== "function")
      throw Object.assign(
        new TypeError('The "original" argument must be of type function. Received ' + inspect(original)),
        { code: "ERR_INVALID_ARG_TYPE" },
      );
    if (original[promisified]) return original[promisified];
    return function (...given) {
      return new Promise((resolve, reject) =>
        original.call(this, ...given, (error, value) => (error ? reject(error) : resolve(value))),
      );
    };
  }
  promisify.custom = promisified;

  const tagged = (tag) => (value) => Object.prototype.toString.call(value) === `[object ${tag}]`;
  const types = {
    isDate: (value) => value instanceof Date,
    isRegExp: (value) => value instanceof RegExp,
    isNativeError: (value) => value instanceof Error,
    isPromise: (value) => value instanceof Promise,
    isMap: (value) => value instanceof Map,
    isSet: (value) => value instanceof Set,
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
    isUint8Array: (value) => value instanceof Uint8Array,
    isArrayBuffer: (value) => value instanceof ArrayBuffer,
    isAsyncFunction: tagged("AsyncFunction"),
    isGeneratorFunction: tagged("GeneratorFunction"),
  };
  const util = {
    inspect,
    format,
    promisify,
    types,
    formatWithOptions: (_, ...values) => format(...values),
    inherits(constructor, parent) {
      Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(constructor.prototype, parent.prototype);
    },
    deprecate: (original) => original,
    callbackify: (original) =>
      function (...given) {
        const callback = given.pop();
        original.apply(this, given).then(
          (value) => later(callback, [null, value]),
          (error) => later(callback, [error]),
        );
      },
    isDeepStrictEqual: (a, b) => sameDeep(a, b),
    isArray: Array.isArray,
    toUSVString: (text) => String(text).toWellFormed(),
    stripVTControlCharacters: (text) => String(text).replace(/\u001b\[[0-9;]*[A-Za-z]/g, ""),
  };
  function sameDeep(a, b) {
    if (Object.is(a, b)) return true;
    if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (a instanceof Date || a instanceof RegExp) return String(a) === String(b) && Number(a) === Number(b);
    if (a instanceof Map || a instanceof Set) return sameDeep([...a], [...b]);
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => own(b, key) && sameDeep(a[key], b[key]));
  }

  return util;
})
