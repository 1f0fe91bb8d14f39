//! jsonwebtoken: the npm module of that name, version 9, as function nodes use it (section 12); never `none` (D3).
(function (Buffer, crypto, sign, verify, later) {
  "use strict";
  const { KeyObject, createPrivateKey, createPublicKey, createSecretKey } = crypto;

  // As members of their own, name and text are there for whoever writes an error into a message.
  class JsonWebTokenError extends Error {
    constructor(message, inner) {
      super();
      this.name = "JsonWebTokenError";
      this.message = message;
      if (inner) this.inner = inner;
    }
  }
  class TokenExpiredError extends JsonWebTokenError {
    constructor(message, expiredAt) {
      super(message);
      this.name = "TokenExpiredError";
      this.expiredAt = expiredAt;
    }
  }
  class NotBeforeError extends JsonWebTokenError {
    constructor(message, date) {
      super(message);
      this.name = "NotBeforeError";
      this.date = date;
    }
  }

  // ---- what both sides know ----------------------------------------------------------------------------------------

  const HMAC = ["HS256", "HS384", "HS512"];
  const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
  const EC = { ES256: "prime256v1", ES384: "secp384r1", ES512: "secp521r1" };
  const SUPPORTED = [...HMAC, ...RSA, ...Object.keys(EC)];
  const TOKEN_CHARS_MAX = 65536;
  const UNIT_MS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, y: 315576e5 };
  const EXAMPLES = 'should be a number of seconds or string representing a timespan eg: "1d", "20h", 60';

  const isText = (value) => typeof value === "string";
  const isPlain = (value) =>
    value !== null &&
    typeof value === "object" &&
    !Array.isArray(value) &&
    [null, Object.prototype].includes(Object.getPrototypeOf(value));
  const seconds = () => Math.floor(Date.now() / 1000);

  /** The moment that a span leads to: seconds as a number, or a text whose bare digits are milliseconds. */
  function moment(span, from) {
    if (typeof span === "number") return from + span;
    if (!isText(span) || span.length > 100) return undefined;
    const parts =
      /^(-?(?:\d+)?\.?\d+) *(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)?$/i.exec(
        span,
      );
    if (!parts) return undefined;
    const unit = (parts[2] || "ms").toLowerCase();
    const ms = parseFloat(parts[1]) * (/^m(s|illi)/.test(unit) ? 1 : UNIT_MS[unit[0]]);
    return Math.floor(from + ms / 1000);
  }

  /** Refuses an algorithm that the kind of key, or its curve, does not serve. */
  function checkFit(algorithm, key) {
    const kind = key.asymmetricKeyType;
    if (!kind) return;
    const fitting = kind === "ec" ? Object.keys(EC) : kind === "rsa" ? RSA : undefined;
    if (!fitting) throw new Error(`Unknown key type "${kind}".`);
    if (!fitting.includes(algorithm))
      throw new Error(`"alg" parameter for "${kind}" key type must be one of: ${fittingNames(kind)}.`);
    if (kind === "ec" && key.asymmetricKeyDetails.namedCurve !== EC[algorithm])
      throw new Error(`"alg" parameter "${algorithm}" requires curve "${EC[algorithm]}".`);
  }
  const fittingNames = (kind) =>
    (kind === "ec" ? Object.keys(EC) : ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"]).join(", ");

  /** The key that this is: of the kind that `create` reads, else a secret. Undefined if it is neither. */
  function keyOf(given, create) {
    if (given instanceof KeyObject) return given;
    try {
      return create(given);
    } catch (_) {
      try {
        return createSecretKey(given);
      } catch (_) {
        return undefined;
      }
    }
  }
  const material = (key, kind) => (key.type === "secret" ? key.export() : key.export({ type: kind, format: "der" }));

  // ---- sign --------------------------------------------------------------------------------------------------------

  const isSpan = (value) => Number.isInteger(value) || (isText(value) && value !== "");
  const isBoolean = (value) => typeof value === "boolean";
  const span = (name) => `"${name}" should be a number of seconds or string representing a timespan`;
  const OPTIONS = {
    expiresIn: [isSpan, span("expiresIn")],
    notBefore: [isSpan, span("notBefore")],
    audience: [(value) => isText(value) || Array.isArray(value), '"audience" must be a string or array'],
    algorithm: [(value) => SUPPORTED.includes(value), '"algorithm" must be a valid string enum value'],
    header: [isPlain, '"header" must be an object'],
    encoding: [isText, '"encoding" must be a string'],
    issuer: [isText, '"issuer" must be a string'],
    subject: [isText, '"subject" must be a string'],
    jwtid: [isText, '"jwtid" must be a string'],
    noTimestamp: [isBoolean, '"noTimestamp" must be a boolean'],
    keyid: [isText, '"keyid" must be a string'],
    mutatePayload: [isBoolean, '"mutatePayload" must be a boolean'],
    allowInsecureKeySizes: [isBoolean, '"allowInsecureKeySizes" must be a boolean'],
    allowInvalidAsymmetricKeyTypes: [isBoolean, '"allowInvalidAsymmetricKeyTypes" must be a boolean'],
  };
  const isNumber = (value) => typeof value === "number";
  const CLAIMS = Object.fromEntries(
    ["iat", "exp", "nbf"].map((name) => [name, [isNumber, `"${name}" should be a number of seconds`]]),
  );
  const FOR_OBJECTS = ["expiresIn", "notBefore", "noTimestamp", "audience", "issuer", "subject", "jwtid"];
  const MEMBERS = { audience: "aud", issuer: "iss", subject: "sub", jwtid: "jti" };

  function check(rules, others, object, name) {
    if (!isPlain(object)) throw new Error(`Expected "${name}" to be a plain object.`);
    for (const key of Object.keys(object)) {
      const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
      if (!rule && !others) throw new Error(`"${key}" is not allowed in "${name}"`);
      if (rule && !rule[0](object[key])) throw new Error(rule[1]);
    }
  }

  function signingKey(given, algorithm) {
    if (!given) throw new Error("secretOrPrivateKey must have a value");
    const key = keyOf(given, createPrivateKey);
    if (!key) throw new Error("secretOrPrivateKey is not valid key material");
    if (algorithm.startsWith("HS") && key.type !== "secret")
      throw new Error(`secretOrPrivateKey must be a symmetric key when using ${algorithm}`);
    if (/^(?:RS|PS|ES)/.test(algorithm) && key.type !== "private")
      throw new Error(`secretOrPrivateKey must be an asymmetric key when using ${algorithm}`);
    return key;
  }

  /** The claims with what the options add to them. */
  function claimsOf(payload, options) {
    const isObject = typeof payload === "object" && !Buffer.isBuffer(payload);
    if (payload === undefined) throw new Error("payload is required");
    if (isObject) {
      check(CLAIMS, true, payload, "payload");
      if (!options.mutatePayload) payload = { ...payload };
    } else {
      const out = FOR_OBJECTS.filter((name) => options[name] !== undefined);
      if (out.length) throw new Error(`invalid ${out.join(",")} option for ${typeof payload} payload`);
    }
    for (const [option, claim] of [["expiresIn", "exp"], ["notBefore", "nbf"]])
      if (payload[claim] !== undefined && options[option] !== undefined)
        throw new Error(`Bad "options.${option}" option the payload already has an "${claim}" property.`);
    check(OPTIONS, false, options, "options");
    return isObject ? withTimes(payload, options) : payload;
  }
  function withTimes(payload, options) {
    const now = payload.iat || seconds();
    if (options.noTimestamp) delete payload.iat;
    else payload.iat = now;
    for (const [option, claim] of [["notBefore", "nbf"], ["expiresIn", "exp"]]) {
      if (options[option] === undefined) continue;
      payload[claim] = moment(options[option], now);
      if (payload[claim] === undefined) throw new Error(`"${option}" ${EXAMPLES}`);
    }
    for (const [option, claim] of Object.entries(MEMBERS)) {
      if (options[option] === undefined) continue;
      if (payload[claim] !== undefined)
        throw new Error(`Bad "options.${option}" option. The payload already has an "${claim}" property.`);
      payload[claim] = options[option];
    }
    return payload;
  }

  const spoken = (value) =>
    isText(value) ? value : typeof value === "number" || Buffer.isBuffer(value) ? value.toString() : JSON.stringify(value);

  function signed(payload, given, options) {
    const isObject = typeof payload === "object" && !Buffer.isBuffer(payload);
    const header = {
      alg: options.algorithm || "HS256",
      typ: isObject ? "JWT" : undefined,
      kid: options.keyid,
      ...options.header,
    };
    const algorithm = String(header.alg);
    const key = signingKey(given, algorithm);
    const claims = claimsOf(payload, options);
    if (!SUPPORTED.includes(algorithm)) throw new Error(OPTIONS.algorithm[1]);
    checkFit(algorithm, key);
    const body = Buffer.from(spoken(claims), options.encoding || "utf8").toString("base64url");
    const input = `${Buffer.from(spoken(header), "binary").toString("base64url")}.${body}`;
    return `${input}.${sign(algorithm, material(key, "pkcs8"), Buffer.from(input)).toString("base64url")}`;
  }

  // ---- decode, verify ----------------------------------------------------------------------------------------------

  const PARTS = /^[\w-]+\.[\w-]+\.[\w-]*$/;
  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch (_) {
      return undefined;
    }
  };

  function decode(token, options) {
    const text = spoken(token);
    if (!isText(text) || text.length > TOKEN_CHARS_MAX || !PARTS.test(text)) return null;
    const [head, body, signature] = text.split(".");
    const header = parsed(Buffer.from(head, "base64").toString("binary"));
    if (!header) return null;
    let payload = Buffer.from(body, "base64").toString("utf8");
    if (header.typ === "JWT" || (options && options.json)) payload = JSON.parse(payload);
    else {
      const object = parsed(payload);
      if (object !== null && typeof object === "object") payload = object;
    }
    return options && options.complete === true ? { header, payload, signature } : payload;
  }

  function checkOptions(options) {
    if (options.clockTimestamp && typeof options.clockTimestamp !== "number")
      throw new JsonWebTokenError("clockTimestamp must be a number");
    if (options.nonce !== undefined && (!isText(options.nonce) || options.nonce.trim() === ""))
      throw new JsonWebTokenError("nonce must be a non-empty string");
    const lax = options.allowInvalidAsymmetricKeyTypes;
    if (lax !== undefined && typeof lax !== "boolean")
      throw new JsonWebTokenError("allowInvalidAsymmetricKeyTypes must be a boolean");
  }

  /** The token in its parts, nothing of it believed yet. */
  function taken(token) {
    if (!token) throw new JsonWebTokenError("jwt must be provided");
    if (!isText(token)) throw new JsonWebTokenError("jwt must be a string");
    if (token.split(".").length !== 3) throw new JsonWebTokenError("jwt malformed");
    const read = decode(token, { complete: true });
    if (!read) throw new JsonWebTokenError("invalid token");
    return read;
  }

  function checkSignature(token, { header, signature }, given, options) {
    if (signature === "") throw new JsonWebTokenError("jwt signature is required");
    if (!given) throw new JsonWebTokenError("secret or public key must be provided");
    const key = keyOf(given, createPublicKey);
    if (!key) throw new JsonWebTokenError("secretOrPublicKey is not valid key material");
    const usual = key.type === "secret" ? HMAC : key.asymmetricKeyType === "ec" ? Object.keys(EC) : RSA;
    const { alg } = header;
    if (!(options.algorithms || usual).includes(alg) || !SUPPORTED.includes(alg))
      throw new JsonWebTokenError("invalid algorithm");
    if (alg.startsWith("HS") && key.type !== "secret")
      throw new JsonWebTokenError(`secretOrPublicKey must be a symmetric key when using ${alg}`);
    if (/^(?:RS|PS|ES)/.test(alg) && key.type !== "public")
      throw new JsonWebTokenError(`secretOrPublicKey must be an asymmetric key when using ${alg}`);
    checkFit(alg, key);
    const octets = Buffer.from(signature, "base64url");
    const input = Buffer.from(token.slice(0, token.lastIndexOf(".")));
    // Whoever writes one signature in two ways has two tokens that mean one.
    const exact = octets.toString("base64url") === signature;
    if (!exact || !verify(alg, material(key, "spki"), input, octets)) throw new JsonWebTokenError("invalid signature");
    if (header.crit !== undefined) throw new JsonWebTokenError("jwt header crit is not supported");
  }

  function checkTimes(payload, options, now) {
    const tolerance = options.clockTolerance || 0;
    if (payload.nbf !== undefined && !options.ignoreNotBefore) {
      if (typeof payload.nbf !== "number") throw new JsonWebTokenError("invalid nbf value");
      if (payload.nbf > now + tolerance) throw new NotBeforeError("jwt not active", new Date(payload.nbf * 1000));
    }
    if (payload.exp !== undefined && !options.ignoreExpiration) {
      if (typeof payload.exp !== "number") throw new JsonWebTokenError("invalid exp value");
      if (now >= payload.exp + tolerance) throw new TokenExpiredError("jwt expired", new Date(payload.exp * 1000));
    }
  }

  function checkClaims(payload, options) {
    const { audience, issuer } = options;
    if (audience) {
      const wanted = Array.isArray(audience) ? audience : [audience];
      const found = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
      const fits = (one) => wanted.some((want) => (want instanceof RegExp ? want.test(one) : want === one));
      if (!found.some(fits)) throw new JsonWebTokenError(`jwt audience invalid. expected: ${wanted.join(" or ")}`);
    }
    if (issuer && ((isText(issuer) && payload.iss !== issuer) || (Array.isArray(issuer) && !issuer.includes(payload.iss))))
      throw new JsonWebTokenError(`jwt issuer invalid. expected: ${issuer}`);
    for (const [option, claim] of [["subject", "sub"], ["jwtid", "jti"], ["nonce", "nonce"]])
      if (options[option] && payload[claim] !== options[option])
        throw new JsonWebTokenError(`jwt ${option} invalid. expected: ${options[option]}`);
  }

  function checkAge(payload, options, now) {
    if (!options.maxAge) return;
    if (typeof payload.iat !== "number") throw new JsonWebTokenError("iat required when maxAge is specified");
    const end = moment(options.maxAge, payload.iat);
    if (end === undefined) throw new JsonWebTokenError(`"maxAge" ${EXAMPLES}`);
    if (now >= end + (options.clockTolerance || 0))
      throw new TokenExpiredError("maxAge exceeded", new Date(end * 1000));
  }

  function verified(token, read, key, options) {
    const { payload } = read;
    const now = options.clockTimestamp || seconds();
    checkSignature(token, read, key, options);
    checkTimes(payload, options, now);
    checkClaims(payload, options);
    checkAge(payload, options, now);
    return options.complete === true ? read : payload;
  }

  /** Gives the outcome back, or tells a callback of it. */
  function outcome(action, callback) {
    if (!callback) return action();
    let result;
    try {
      result = action();
    } catch (error) {
      return callback(error);
    }
    return callback(null, result);
  }

  return {
    decode,
    JsonWebTokenError,
    NotBeforeError,
    TokenExpiredError,
    sign(payload, key, options, callback) {
      if (typeof options === "function") [options, callback] = [{}, options];
      const action = () => signed(payload, key, options || {});
      if (!callback) return action();
      outcome(action, (error, token) => (error ? callback(error) : later(callback, [null, token])));
    },
    verify(token, key, options, callback) {
      if (typeof options === "function" && !callback) [options, callback] = [{}, options];
      options = { ...options };
      if (typeof key !== "function")
        return outcome(() => {
          checkOptions(options);
          return verified(token, taken(token), key, options);
        }, callback);
      const ask = () => {
        checkOptions(options);
        const read = taken(token);
        if (!callback)
          throw new JsonWebTokenError(
            "verify must be called asynchronous if secret or public key is provided as a callback",
          );
        return read;
      };
      outcome(ask, (error, read) => {
        if (error) return callback(error);
        return key(read.header, (refused, found) => {
          if (refused)
            return callback(new JsonWebTokenError("error in secret or public key callback: " + refused.message));
          return outcome(() => verified(token, read, found, options), callback);
        });
      });
    },
  };
})
