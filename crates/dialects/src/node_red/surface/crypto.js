//! crypto: what a function node reaches of Node.js's module of that name (section 12), over the host's cryptography.
(function (host, Buffer, later) {
  "use strict";
  const isText = (value) => typeof value === "string";
  const coded = (Class, code, why) => Object.assign(new Class(why), { code });
  const wrongType = (name, wanted) =>
    coded(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be ${wanted}`);

  /** A name of a hash as the host knows it: OpenSSL's names in any case, with the key type in front or not. */
  const hashName = (name) => String(name).toLowerCase().replace(/^rsa-/, "").replace(/^sha-(?=\d)/, "sha");
  const hashes = host.hashes();

  function octetsOf(value, name, encoding) {
    if (isText(value)) return Buffer.from(value, encoding === "buffer" ? "utf8" : encoding);
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw wrongType(name, "of type string or an instance of Buffer, TypedArray, or DataView");
  }
  const spoken = (octets, encoding) =>
    encoding === undefined || encoding === null || encoding === "buffer" ? octets : octets.toString(encoding);
  const whole = (value, name, min, max) => {
    if (typeof value !== "number") throw wrongType(name, "of type number");
    if (!Number.isInteger(value) || value < min || value > max)
      throw coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. Received ${value}`);
    return value;
  };
  /** Calls back when the turn is over, with the outcome or with what went wrong on the way. */
  function answer(callback, action) {
    if (typeof callback !== "function") throw wrongType("callback", "of type function");
    let given;
    try {
      given = [null, action()];
    } catch (error) {
      given = [error];
    }
    later(callback, given);
  }

  // ---- hashes ------------------------------------------------------------------------------------------------------

  /** What is fed piece by piece and then gives a result once. */
  class Fed {
    #parts = [];
    update(data, encoding) {
      if (!this.#parts) throw this.finalized();
      // A piece may change behind our back before the result is asked for.
      this.#parts.push(Buffer.from(octetsOf(data, "data", encoding)));
      return this;
    }
    fed(again) {
      if (!this.#parts) throw this.finalized();
      const all = Buffer.concat(this.#parts);
      this.#parts = again ? [all] : undefined;
      return all;
    }
    finalized() {
      return coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    }
  }

  class Hash extends Fed {
    #name;
    constructor(name) {
      super();
      this.#name = name;
    }
    digest(encoding) {
      return spoken(host.digest(this.#name, this.fed(false)), encoding);
    }
    copy() {
      return new Hash(this.#name).update(this.fed(true));
    }
  }

  class Hmac extends Fed {
    #name;
    #key;
    #over = false;
    constructor(name, key) {
      super();
      this.#name = name;
      this.#key = key;
    }
    digest(encoding) {
      // Node.js gives nothing the second time, where a hash throws.
      if (this.#over) return spoken(Buffer.alloc(0), encoding);
      this.#over = true;
      return spoken(host.hmac(this.#name, this.#key, this.fed(false)), encoding);
    }
  }

  function createHash(name) {
    if (!isText(name)) throw wrongType("algorithm", "of type string");
    const known = hashName(name);
    if (!hashes.includes(known)) throw new Error("Digest method not supported");
    return new Hash(known);
  }

  function createHmac(name, key) {
    if (!isText(name)) throw wrongType("hmac", "of type string");
    const known = hashName(name);
    const secret = key instanceof KeyObject ? secretOf(key) : Buffer.from(octetsOf(key, "key"));
    if (host.hmac(known, Buffer.alloc(0), Buffer.alloc(0)) === undefined)
      throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + name);
    return new Hmac(known, secret);
  }

  function pbkdf2Sync(password, salt, iterations, keylen, digest) {
    if (!isText(digest)) throw wrongType("digest", "of type string");
    const secret = octetsOf(password, "password");
    const salted = octetsOf(salt, "salt");
    whole(iterations, "iterations", 1, 2 ** 31 - 1);
    whole(keylen, "keylen", 0, 2 ** 31 - 1);
    const derived = host.pbkdf2(hashName(digest), secret, salted, iterations, keylen);
    if (derived === undefined) throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + digest);
    return derived;
  }

  // ---- randomness, comparison --------------------------------------------------------------------------------------

  function randomBytes(size, callback) {
    whole(size, "size", 0, 2 ** 31 - 1);
    if (callback === undefined) return host.random(size);
    answer(callback, () => host.random(size));
  }

  function randomUUID() {
    const octets = host.random(16);
    octets[6] = (octets[6] & 0x0f) | 0x40;
    octets[8] = (octets[8] & 0x3f) | 0x80;
    return octets.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  /** A whole number from `min` up to and without `max`, each as likely as the others. */
  function randomInt(min, max, callback) {
    if (max === undefined || typeof max === "function") [min, max, callback] = [0, min, max];
    const span = max - min;
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) throw wrongType("max", "a safe integer");
    if (!(span > 0 && span < 2 ** 48))
      throw coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "max" is out of range. Received ${max}`);
    const draw = () => {
      const fair = 2 ** 48 - (2 ** 48 % span);
      for (;;) {
        const drawn = host.random(6).readUIntBE(0, 6);
        if (drawn < fair) return min + (drawn % span);
      }
    };
    if (callback === undefined) return draw();
    answer(callback, draw);
  }

  function randomFillSync(buffer, offset = 0, size = buffer.length - offset) {
    octetsOf(buffer, "buf").set(host.random(size), offset);
    return buffer;
  }

  function timingSafeEqual(a, b) {
    for (const [name, value] of [["buf1", a], ["buf2", b]])
      if (isText(value)) throw wrongType(name, "an instance of ArrayBuffer, Buffer, TypedArray, or DataView");
    const [one, other] = [octetsOf(a, "buf1"), octetsOf(b, "buf2")];
    if (one.length !== other.length)
      throw coded(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
    return host.same(one, other);
  }

  // ---- keys --------------------------------------------------------------------------------------------------------

  const CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1", secp256k1: "secp256k1" };
  const inPem = (label, der) =>
    `-----BEGIN ${label}-----\n${der.toString("base64").match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;

  let secretOf;
  let derOf;
  class KeyObject {
    #octets;
    #told;
    constructor(type, octets, told) {
      this.type = type;
      this.#octets = octets;
      this.#told = told;
      if (type === "secret") this.symmetricKeySize = octets.length;
      else {
        this.asymmetricKeyType = told.type === "okp" ? told.curve.toLowerCase() : told.type;
        this.asymmetricKeyDetails =
          told.type === "rsa"
            ? { modulusLength: told.bits }
            : told.type === "ec"
              ? { namedCurve: CURVES[told.curve] }
              : {};
      }
    }
    static secretOf(key) {
      if (key.type !== "secret")
        throw coded(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${key.type}, expected secret.`);
      return key.#octets;
    }
    static derOf(key, type) {
      return type === "public" && key.type === "private" ? key.#told.publicDer : key.#octets;
    }
    equals(other) {
      return other instanceof KeyObject && this.type === other.type && this.#octets.equals(other.#octets);
    }
    export(options = {}) {
      if (this.type === "secret")
        return options.format === "jwk" ? { kty: "oct", k: this.#octets.toString("base64url") } : Buffer.from(this.#octets);
      if (options.format === "jwk") return JSON.parse(host.keyJwk(this.#octets));
      const form = options.type || (this.type === "public" ? "spki" : "pkcs8");
      if (options.cipher) throw new Error("A key cannot be encrypted here");
      const der = host.keyDer(this.#octets, form);
      if (options.format === "der") return der;
      const kind = { pkcs1: "RSA ", sec1: "EC " }[form] || "";
      return inPem(`${kind}${this.type === "public" ? "PUBLIC" : "PRIVATE"} KEY`, der);
    }
  }
  ({ secretOf, derOf } = KeyObject);
  delete KeyObject.secretOf;
  delete KeyObject.derOf;

  /** A key as Node.js takes it: PEM, or `{key, format, passphrase}`. Undefined if that is none. */
  function readKey(given) {
    const options = given !== null && typeof given === "object" && !ArrayBuffer.isView(given) ? given : { key: given };
    const { key, format = "pem", passphrase } = options;
    const octets = format === "jwk" ? Buffer.from(JSON.stringify(key)) : octetsOf(key, "key", options.encoding);
    const secret = passphrase === undefined ? undefined : octetsOf(passphrase, "passphrase");
    return host.key(format, octets, secret && Buffer.from(secret).toString());
  }
  const unreadable = () => coded(Error, "ERR_OSSL_UNSUPPORTED", "error:1E08010C:DECODER routines::unsupported");

  function createPrivateKey(given) {
    const told = readKey(given);
    if (!told || !told.private) throw unreadable();
    return new KeyObject("private", told.der, told);
  }
  function createPublicKey(given) {
    if (given instanceof KeyObject && given.type === "private") given = { key: derOf(given, "public"), format: "der" };
    else if (given instanceof KeyObject)
      throw coded(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${given.type}, expected private.`);
    const told = readKey(given);
    if (!told) throw unreadable();
    return new KeyObject("public", told.publicDer, told);
  }
  const createSecretKey = (key, encoding) => new KeyObject("secret", Buffer.from(octetsOf(key, "key", encoding)));

  // ---- signatures --------------------------------------------------------------------------------------------------

  const constants = { RSA_PKCS1_PADDING: 1, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1 };
  const optionsOf = (given) =>
    given !== null && typeof given === "object" && !ArrayBuffer.isView(given) && !(given instanceof KeyObject) ? given : {};

  /** The key, and the registered algorithm that this hash and the options make with it. */
  function algorithmOf(hash, given, create) {
    const options = optionsOf(given);
    const inner = options.key instanceof KeyObject ? options.key : given;
    const key = inner instanceof KeyObject ? inner : create(inner);
    const bits = hash === null || hash === undefined ? "" : hashName(hash).replace(/^sha/, "");
    const kind = key.asymmetricKeyType;
    if (kind === "ed25519") return [key, "EdDSA", options];
    if (!["256", "384", "512"].includes(bits)) throw new Error("Digest method not supported for signatures: " + hash);
    const family = kind === "ec" ? "ES" : options.padding === constants.RSA_PKCS1_PSS_PADDING ? "PS" : "RS";
    const named = kind === "ec" && key.asymmetricKeyDetails.namedCurve === "secp256k1" ? "ES256K" : family + bits;
    return [key, named, options];
  }

  /** An ECDSA signature as two numbers in DER, and back as two runs of octets. */
  function derSignature(raw) {
    const number = (octets) => {
      let at = 0;
      while (at < octets.length - 1 && octets[at] === 0) at++;
      const bare = octets.subarray(at);
      const signed = bare[0] & 0x80 ? Buffer.concat([Buffer.alloc(1), bare]) : bare;
      return Buffer.concat([Buffer.from([2, signed.length]), signed]);
    };
    const half = raw.length / 2;
    const body = Buffer.concat([number(raw.subarray(0, half)), number(raw.subarray(half))]);
    return Buffer.concat([Buffer.from(body.length > 127 ? [0x30, 0x81, body.length] : [0x30, body.length]), body]);
  }
  function rawSignature(der, width) {
    const raw = Buffer.alloc(2 * width);
    let at = der[1] === 0x81 ? 3 : 2;
    for (const end of [width, 2 * width]) {
      const number = der.subarray(at + 2, at + 2 + der[at + 1]);
      const bare = number[0] === 0 ? number.subarray(1) : number;
      if (der[at] !== 2 || bare.length > width) return Buffer.alloc(0);
      raw.set(bare, end - bare.length);
      at += 2 + der[at + 1];
    }
    return at === der.length && derSignature(raw).equals(der) ? raw : Buffer.alloc(0);
  }
  const WIDTHS = { ES256: 32, ES256K: 32, ES384: 48, ES512: 66 };
  const inDer = (algorithm, options) => algorithm in WIDTHS && options.dsaEncoding !== "ieee-p1363";

  function sign(hash, data, given, callback) {
    const action = () => {
      const [key, algorithm, options] = algorithmOf(hash, given, createPrivateKey);
      const raw = host.sign(algorithm, derOf(key), octetsOf(data, "data"));
      return inDer(algorithm, options) ? derSignature(raw) : raw;
    };
    if (callback === undefined) return action();
    answer(callback, action);
  }
  function verify(hash, data, given, signature, callback) {
    const action = () => {
      const [key, algorithm, options] = algorithmOf(hash, given, createPublicKey);
      const told = octetsOf(signature, "signature");
      const raw = inDer(algorithm, options) ? rawSignature(Buffer.from(told), WIDTHS[algorithm]) : told;
      return host.verify(algorithm, derOf(key, "public"), octetsOf(data, "data"), raw);
    };
    if (callback === undefined) return action();
    answer(callback, action);
  }

  class Sign extends Fed {
    #hash;
    constructor(hash) {
      super();
      this.#hash = hash;
    }
    sign(key, encoding) {
      return spoken(sign(this.#hash, this.fed(false), key), encoding);
    }
  }
  class Verify extends Fed {
    #hash;
    constructor(hash) {
      super();
      this.#hash = hash;
    }
    verify(key, signature, encoding) {
      return verify(this.#hash, this.fed(false), key, octetsOf(signature, "signature", encoding));
    }
  }
  const signs = (Class) => (hash) => {
    if (!isText(hash)) throw wrongType("algorithm", "of type string");
    if (!hashes.includes(hashName(hash))) throw coded(Error, "ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + hash);
    return new Class(hash);
  };

  return {
    constants,
    createHash,
    createHmac,
    createPrivateKey,
    createPublicKey,
    createSecretKey,
    createSign: signs(Sign),
    createVerify: signs(Verify),
    getHashes: () => [...hashes],
    KeyObject,
    pbkdf2Sync,
    pbkdf2: (password, salt, iterations, keylen, digest, callback) =>
      answer(callback, () => pbkdf2Sync(password, salt, iterations, keylen, digest)),
    randomBytes,
    randomFillSync,
    randomInt,
    randomUUID,
    sign,
    timingSafeEqual,
    verify,
  };
})
