//! Buffer: octets as Node.js gives them to its programs.
(function (host) {
  "use strict";
  const isText = (value) => typeof value === "string";

  const ENCODINGS = new Set(
    "utf8 utf-8 utf16le utf-16le ucs2 ucs-2 latin1 binary ascii hex base64 base64url".split(" "),
  );
  function encodingOf(name) {
    const lower = name === undefined || name === null || name === "" ? "utf8" : String(name).toLowerCase();
    if (!ENCODINGS.has(lower))
      throw Object.assign(new TypeError("Unknown encoding: " + name), { code: "ERR_UNKNOWN_ENCODING" });
    return lower;
  }
  const asBuffer = (octets) => Object.setPrototypeOf(octets, Buffer.prototype);

  function Buffer(value, second, third) {
    if (typeof value === "number") return Buffer.alloc(value);
    return Buffer.from(value, second, third);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Buffer.prototype = Object.create(Uint8Array.prototype, {
    constructor: { value: Buffer, writable: true, configurable: true },
  });
  host.equip(Buffer.prototype);

  const members = (target, functions) => {
    for (const [name, value] of Object.entries(functions)) {
      Object.defineProperty(target, name, { value, writable: true, configurable: true });
    }
  };
  const octetsOf = (value, encoding) => (isText(value) ? Buffer.from(value, encoding) : value);

  members(Buffer, {
    poolSize: 8192,
    from(value, second, third) {
      if (isText(value)) return host.encode(encodingOf(second), value);
      if (value instanceof ArrayBuffer) return asBuffer(new Uint8Array(value, second, third));
      if (ArrayBuffer.isView(value) || Array.isArray(value)) return asBuffer(Uint8Array.from(value, (n) => n & 255));
      if (value !== null && typeof value === "object") {
        if (value.type === "Buffer" && Array.isArray(value.data)) return Buffer.from(value.data);
        const inner = typeof value.valueOf === "function" ? value.valueOf() : value;
        if (inner !== value && inner !== null && inner !== undefined) return Buffer.from(inner, second, third);
        if (typeof value.length === "number") return Buffer.from(Array.from(value));
      }
      throw Object.assign(
        new TypeError(
          "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.",
        ),
        { code: "ERR_INVALID_ARG_TYPE" },
      );
    },
    alloc(size, fill, encoding) {
      const buffer = asBuffer(new Uint8Array(size));
      return fill === undefined || fill === 0 ? buffer : buffer.fill(fill, encoding);
    },
    allocUnsafe: (size) => asBuffer(new Uint8Array(size)),
    allocUnsafeSlow: (size) => asBuffer(new Uint8Array(size)),
    concat(list, total) {
      const length = total === undefined ? list.reduce((sum, part) => sum + part.length, 0) : total;
      const buffer = Buffer.alloc(length);
      let at = 0;
      for (const part of list) {
        const rest = length - at;
        if (rest <= 0) break;
        buffer.set(part.length > rest ? part.subarray(0, rest) : part, at);
        at += part.length;
      }
      return buffer;
    },
    isBuffer: (value) => value instanceof Buffer,
    isEncoding: (name) => isText(name) && ENCODINGS.has(name.toLowerCase()),
    byteLength: (value, encoding) =>
      isText(value) ? host.encode(encodingOf(encoding), value).length : value.byteLength,
    compare(a, b) {
      const length = Math.min(a.length, b.length);
      for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return Math.sign(a.length - b.length);
    },
  });

  function find(buffer, value, from, encoding, last) {
    if (isText(from)) [from, encoding] = [undefined, from];
    const wanted = typeof value === "number" ? [value & 255] : octetsOf(value, encoding);
    const end = buffer.length - wanted.length;
    let at = from === undefined ? (last ? end : 0) : Math.trunc(from) || 0;
    if (at < 0) at += buffer.length;
    at = last ? Math.min(at, end) : Math.max(at, 0);
    for (; last ? at >= 0 : at <= end; at += last ? -1 : 1) {
      let i = 0;
      while (i < wanted.length && buffer[at + i] === wanted[i]) i++;
      if (i === wanted.length) return at;
    }
    return -1;
  }

  members(Buffer.prototype, {
    toString(encoding, start, end) {
      const name = encodingOf(encoding);
      const part = start === undefined && end === undefined ? this : this.subarray(Math.max(start || 0, 0), end);
      return name === "ascii"
        ? host.decode(
            "latin1",
            part.map((octet) => octet & 127),
          )
        : host.decode(name, part);
    },
    toLocaleString(encoding, start, end) {
      return this.toString(encoding, start, end);
    },
    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    },
    equals(other) {
      return this === other || Buffer.compare(this, other) === 0;
    },
    compare(other, otherStart = 0, otherEnd = other.length, start = 0, end = this.length) {
      return Buffer.compare(this.subarray(start, end), other.subarray(otherStart, otherEnd));
    },
    slice(start, end) {
      return this.subarray(start, end);
    },
    indexOf(value, from, encoding) {
      return find(this, value, from, encoding, false);
    },
    lastIndexOf(value, from, encoding) {
      return find(this, value, from, encoding, true);
    },
    includes(value, from, encoding) {
      return find(this, value, from, encoding, false) !== -1;
    },
    fill(value, start, end, encoding) {
      if (isText(start)) [start, end, encoding] = [0, this.length, start];
      else if (isText(end)) [end, encoding] = [this.length, end];
      if (typeof value === "number" || typeof value === "boolean")
        return Uint8Array.prototype.fill.call(this, value, start, end);
      const octets = octetsOf(value, encoding);
      const until = end === undefined ? this.length : end;
      for (let at = start || 0, i = 0; at < until; at++, i++) this[at] = octets.length ? octets[i % octets.length] : 0;
      return this;
    },
    write(text, offset, length, encoding) {
      if (isText(offset)) [offset, length, encoding] = [0, undefined, offset];
      else if (isText(length)) [length, encoding] = [undefined, length];
      const octets = host.encode(encodingOf(encoding), String(text));
      const at = offset || 0;
      const count = Math.min(octets.length, this.length - at, length === undefined ? Infinity : length);
      this.set(octets.subarray(0, count), at);
      return count;
    },
    copy(target, targetStart = 0, start = 0, end = this.length) {
      const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
      target.set(part, targetStart);
      return part.length;
    },
  });

  for (const bits of [16, 32, 64]) {
    members(Buffer.prototype, {
      ["swap" + bits]() {
        for (let at = 0; at + bits / 8 <= this.length; at += bits / 8) this.subarray(at, at + bits / 8).reverse();
        return this;
      },
    });
  }
  // Reading and writing numbers: every width by its method of DataView, in both orders.
  const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const outside = (offset) =>
    Object.assign(new RangeError('The value of "offset" is out of range. Received ' + offset), {
      code: "ERR_OUT_OF_RANGE",
    });
  const number = (name, method, width, little) => {
    const check = (buffer, offset) => {
      if (!(offset >= 0 && offset + width <= buffer.length)) throw outside(offset);
    };
    const functions = {
      ["read" + name](offset = 0) {
        check(this, offset);
        return view(this)["get" + method](offset, little);
      },
      ["write" + name](value, offset = 0) {
        check(this, offset);
        view(this)["set" + method](offset, value, little);
        return offset + width;
      },
    };
    members(Buffer.prototype, functions);
    if (name.includes("UInt"))
      members(
        Buffer.prototype,
        Object.fromEntries(Object.entries(functions).map(([key, run]) => [key.replace("UInt", "Uint"), run])),
      );
  };
  number("UInt8", "Uint8", 1);
  number("Int8", "Int8", 1);
  const WIDE = [
    ["UInt16", "Uint16", 2],
    ["Int16", "Int16", 2],
    ["UInt32", "Uint32", 4],
    ["Int32", "Int32", 4],
    ["BigUInt64", "BigUint64", 8],
    ["BigInt64", "BigInt64", 8],
    ["Float", "Float32", 4],
    ["Double", "Float64", 8],
  ];
  for (const [name, method, width] of WIDE) {
    number(name + "LE", method, width, true);
    number(name + "BE", method, width, false);
  }
  const digits = (buffer, offset, width, little) => {
    if (!(offset >= 0 && offset + width <= buffer.length)) throw outside(offset);
    const part = Array.from(buffer.subarray(offset, offset + width));
    return (little ? part.reverse() : part).reduce((sum, octet) => sum * 256 + octet, 0);
  };
  for (const [order, little] of [
    ["LE", true],
    ["BE", false],
  ]) {
    const put = function (value, offset, width) {
      if (!(offset >= 0 && offset + width <= this.length)) throw outside(offset);
      for (let i = 0, rest = value; i < width; i++, rest = Math.floor(rest / 256))
        this[offset + (little ? i : width - 1 - i)] = rest & 255;
      return offset + width;
    };
    members(Buffer.prototype, {
      ["readUInt" + order](offset, width) {
        return digits(this, offset, width, little);
      },
      ["readInt" + order](offset, width) {
        const value = digits(this, offset, width, little);
        return value >= 2 ** (8 * width - 1) ? value - 2 ** (8 * width) : value;
      },
      ["writeUInt" + order]: put,
      ["writeInt" + order]: put,
    });
  }

  return Buffer;
})
