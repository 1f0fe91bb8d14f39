//! The modules that function nodes may ask for: `crypto` and `jsonwebtoken` of section 12 of the Node-RED contract.
mod support;

use plan::{ScriptEvent, ScriptPlan};
use sandbox::Reach;
use support::{Variables, function, json, listen_with, message, payload, pool};

/// The surface with its modules, as functions are shipped with that ask for one.
const SURFACE: &str = include!("../../dialects/src/node_red/surface/with_modules.in");

/// A function that has both modules.
fn with_libs(source: &str) -> ScriptPlan {
    let libs = r#"[{"var":"crypto","module":"node:crypto"},{"var":"jwt","module":"jsonwebtoken"}]"#;
    ScriptPlan {
        surface: SURFACE.into(),
        facts: format!(r#"{{"id":"fn","path":"tab/fn","libs":{libs}}}"#).as_str().into(),
        ..function(source)
    }
}

/// All that the function says on an empty message.
async fn said(plan: &ScriptPlan) -> Vec<ScriptEvent> {
    let pool = pool();
    let key = pool.register("document", plan);
    listen_with(pool.call(key, &message(&[]), &plan::Cells::default()), &Variables::default()).await
}

/// The payload that this expression makes, as JSON; what it throws as a text.
async fn eval(expression: &str) -> String {
    let caught = "catch (error) { msg.payload = `${error.name} ${error.code || ''} ${error.message}`; }";
    let source = format!("try {{ msg.payload = await ({expression}); }} {caught} return msg;");
    let events = said(&with_libs(&source)).await;
    if let Some(fault) = events.iter().find(|event| matches!(event, ScriptEvent::Fault { .. })) {
        panic!("{expression}: {fault:?}");
    }
    json(&payload(&events))
}

async fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(&eval(expression).await, expected, "{expression}");
    }
}

/// NR-88: what Node.js 22 gives for the same calls.
#[tokio::test]
async fn crypto_gives_what_node_gives() {
    check(&[
        ("crypto.createHash('md5').update('abc').digest('hex')", "\"900150983cd24fb0d6963f7d28e17f72\""),
        ("crypto.createHash('RSA-SHA1').update('abc').digest('base64')", "\"qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\""),
        ("crypto.createHmac('sha256', 'key').update('a').update('62', 'hex').update(Buffer.from('c')).digest('base64url')", "\"nBluMtwBdfhvSxy4konWYZ3mvuaZ5MN45oMJ7Zehpqs\""),
        ("crypto.createHmac('sha1', crypto.createSecretKey('6b6579', 'hex')).update('abc').digest('base64')", "\"T9CyFSdu8S8rPkyOysKBFJi2Vvw=\""),
        ("crypto.pbkdf2Sync('password', 'salt', 1000, 32, 'sha256').toString('hex')", "\"632c2812e46d4604102ba7618e9d6d7d2f8128f6266b4a03264d2a0460b7dcb3\""),
        ("new Promise(done => crypto.pbkdf2('password', 'salt', 2, 20, 'SHA1', (error, key) => done([error, key.toString('hex')])))", "[null,\"ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957\"]"),
        ("[crypto.timingSafeEqual(Buffer.from('ab'), new Uint8Array([97, 98])), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b'))]", "[true,false]"),
        ("[crypto.randomBytes(16).length, crypto.randomBytes(16).equals(crypto.randomBytes(16)), Buffer.isBuffer(crypto.randomBytes(1))]", "[16,false,true]"),
        ("new Promise(done => crypto.randomBytes(8, (error, octets) => done([error, octets.length])))", "[null,8]"),
        ("/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())", "true"),
        ("[0, 1, 2].every(() => { const n = crypto.randomInt(5, 7); return n === 5 || n === 6; })", "true"),
        ("(h => [h.update('a').copy().update('b').digest('hex').length, h.digest('hex').slice(0, 8)])(crypto.createHash('sha256'))", "[64,\"ca978112\"]"),
    ])
    .await;
}

#[tokio::test]
async fn crypto_refuses_as_node_refuses() {
    check(&[
        ("crypto.createHash('nope')", "\"Error  Digest method not supported\""),
        ("crypto.createHmac('nope', 'k')", "\"TypeError ERR_CRYPTO_INVALID_DIGEST Invalid digest: nope\""),
        ("crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab'))", "\"RangeError ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH Input buffers must have the same byte length\""),
        ("(h => { h.digest(); h.digest(); })(crypto.createHash('sha1'))", "\"Error ERR_CRYPTO_HASH_FINALIZED Digest already called\""),
        ("crypto.createHash('sha1').update(5)", "\"TypeError ERR_INVALID_ARG_TYPE The \\\"data\\\" argument must be of type string or an instance of Buffer, TypedArray, or DataView\""),
        ("crypto.randomBytes(16777216).length", "16777216"),
        ("crypto.randomBytes(16777217)", "\"RangeError  16777216 random octets are the most at a time\""),
        ("crypto.randomBytes(-1)", "\"RangeError ERR_OUT_OF_RANGE The value of \\\"size\\\" is out of range. Received -1\""),
        ("crypto.pbkdf2Sync('p', 's', 0, 1, 'sha1')", "\"RangeError ERR_OUT_OF_RANGE The value of \\\"iterations\\\" is out of range. Received 0\""),
        ("crypto.pbkdf2Sync('p', 's', 1e9, 64, 'sha512')", "\"RangeError  10000000 rounds of hashing are the most\""),
        ("crypto.createPrivateKey('no key').type", "\"Error ERR_OSSL_UNSUPPORTED error:1E08010C:DECODER routines::unsupported\""),
    ])
    .await;
}

const RSA: &str = include_str!("keys/rsa.pem");
const EC: &str = include_str!("keys/ec.pem");

/// Signatures of Node.js 22 over `abc`, and ours over the same, in both forms that ECDSA has.
#[tokio::test]
async fn keys_sign_and_verify() {
    for (pem, name) in [(RSA, "RSA-SHA256"), (EC, "sha256")] {
        let pem = format!("const pem = `{pem}`;");
        let case = |expression: &str| format!("(() => {{ {pem} return {expression}; }})()");
        let both = |options: &str| {
            case(&format!(
                "[['abc', true], ['abd', false]].map(([text, good]) => crypto.createVerify('{name}').update(text).verify(
                    {{ key: crypto.createPublicKey(pem), {options} }},
                    crypto.createSign('{name}').update('abc').sign({{ key: pem, {options} }}, 'base64'), 'base64') === good)"
            ))
        };
        for options in ["", "dsaEncoding: 'ieee-p1363'", "padding: crypto.constants.RSA_PKCS1_PSS_PADDING"] {
            assert_eq!(eval(&both(options)).await, "[true,true]", "{name} {options}");
        }
        let exported = case(
            "[crypto.createPrivateKey(pem), crypto.createPublicKey(pem)].map(key => [key.type, key.asymmetricKeyType,
                crypto.createPublicKey(key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' })).equals(crypto.createPublicKey(pem)),
                key.export({ format: 'jwk' }).kty])",
        );
        let (kind, kty) = if name == "sha256" { ("ec", "EC") } else { ("rsa", "RSA") };
        let told = format!(r#"[["private","{kind}",true,"{kty}"],["public","{kind}",true,"{kty}"]]"#);
        assert_eq!(eval(&exported).await, told);
    }
    let node = include_str!("keys/ec.abc.sha256.base64").trim();
    let verify = format!("crypto.verify('sha256', Buffer.from('abc'), `{EC}`, Buffer.from('{node}', 'base64'))");
    assert_eq!(eval(&verify).await, "true");
}

/// NR-89: by `libs`, against tokens and errors of jsonwebtoken 9.0.3; `none` is refused in every way to ask for it.
#[tokio::test]
async fn jsonwebtoken_signs_verifies_and_decodes() {
    let now = "{ clockTimestamp: 1760000000 }";
    let made = "jwt.sign({ sub: 'alice', iat: 1760000000 }, 'secret', { expiresIn: '1h' })";
    let theirs = include_str!("keys/hs256.jwt").trim();
    assert_eq!(eval(made).await, format!("\"{theirs}\""));
    check(&[
        (&format!("jwt.verify({made}, 'secret', {now})"), r#"{"sub":"alice","iat":1760000000,"exp":1760003600}"#),
        (&format!("jwt.decode('{theirs}', {{ complete: true }}).header"), r#"{"alg":"HS256","typ":"JWT"}"#),
        (&format!("new Promise(done => jwt.verify('{theirs}', (header, give) => give(null, 'secret'), {now}, (error, claims) => done([error, claims.sub])))"), r#"[null,"alice"]"#),
        ("new Promise(done => jwt.sign({ a: 1 }, 'secret', (error, token) => done([error, jwt.decode(token).a])))", "[null,1]"),
        ("new Promise(done => jwt.sign({ a: 1 }, '', (error, token) => done([error.message, token])))", r#"["secretOrPrivateKey must have a value",null]"#),
        (&format!("jwt.verify('{theirs}', 'secret')"), r#""TokenExpiredError  jwt expired""#),
        (&format!("jwt.verify('{theirs}', 'wrong', {now})"), r#""JsonWebTokenError  invalid signature""#),
        (&format!("jwt.verify('{theirs}', 'secret', {{ algorithms: ['HS512'] }})"), r#""JsonWebTokenError  invalid algorithm""#),
        (&format!("jwt.verify('{theirs}x', 'secret', {now})"), r#""JsonWebTokenError  invalid signature""#),
        ("jwt.verify(jwt.sign({ nbf: 9999999999 }, 's'), 's')", r#""NotBeforeError  jwt not active""#),
        ("jwt.verify('a.b', 's')", r#""JsonWebTokenError  jwt malformed""#),
        ("jwt.verify('', 's')", r#""JsonWebTokenError  jwt must be provided""#),
        ("jwt.verify('a.b.c', 's')", r#""JsonWebTokenError  invalid token""#),
        ("jwt.verify(jwt.sign({ aud: ['x'] }, 's'), 's', { audience: [/y/, 'z'] })", r#""JsonWebTokenError  jwt audience invalid. expected: /y/ or z""#),
        ("jwt.sign({ exp: 'soon' }, 's')", r#""Error  \"exp\" should be a number of seconds""#),
        ("jwt.sign({}, 's', { expiresIn: 'soon' })", r#""Error  \"expiresIn\" should be a number of seconds or string representing a timespan eg: \"1d\", \"20h\", 60""#),
        ("jwt.sign({}, 's', { expires: 1 })", r#""Error  \"expires\" is not allowed in \"options\"""#),
        ("(t => [t.exp - t.iat])(jwt.decode(jwt.sign({}, 's', { expiresIn: '3600' })))", "[3]"),
        ("jwt.sign({}, 's', { algorithm: 'none' })", r#""Error  \"algorithm\" must be a valid string enum value""#),
        ("jwt.sign({}, 's', { header: { alg: 'none' } })", r#""Error  \"algorithm\" must be a valid string enum value""#),
        ("jwt.sign({}, '', { algorithm: 'none' })", r#""Error  secretOrPrivateKey must have a value""#),
        ("jwt.verify('eyJhbGciOiJub25lIn0.e30.', '', { algorithms: ['none'] })", r#""JsonWebTokenError  jwt signature is required""#),
        ("jwt.verify('eyJhbGciOiJub25lIn0.e30.AA', 's', { algorithms: ['none'] })", r#""JsonWebTokenError  invalid algorithm""#),
    ])
    .await;
}

/// A public key never becomes a secret, and an algorithm takes only the keys it is for.
#[tokio::test]
async fn jsonwebtoken_takes_no_key_for_another() {
    let keys =
        format!("const rsa = `{RSA}`, ec = `{EC}`, open = crypto.createPublicKey(rsa).export({{ format: 'pem' }});");
    let case = |expression: &str| format!("(() => {{ {keys} return {expression}; }})()");
    for (expression, expected) in [
        ("jwt.verify(jwt.sign({ a: 1 }, rsa, { algorithm: 'PS256', noTimestamp: true }), open)", r#"{"a":1}"#),
        (
            "jwt.verify(jwt.sign({ a: 1 }, ec, { algorithm: 'ES256', noTimestamp: true }), crypto.createPublicKey(ec))",
            r#"{"a":1}"#,
        ),
        ("jwt.sign({}, rsa)", r#""Error  secretOrPrivateKey must be a symmetric key when using HS256""#),
        (
            "jwt.sign({}, open)",
            r#""Error  the key does not fit: this secret is PEM; a key of that kind never becomes an HMAC secret""#,
        ),
        (
            "jwt.sign({}, 'secret', { algorithm: 'RS256' })",
            r#""Error  secretOrPrivateKey must be an asymmetric key when using RS256""#,
        ),
        (
            "jwt.sign({}, ec, { algorithm: 'RS256' })",
            r#""Error  \"alg\" parameter for \"ec\" key type must be one of: ES256, ES384, ES512.""#,
        ),
        (
            "jwt.sign({}, ec, { algorithm: 'ES384' })",
            r#""Error  \"alg\" parameter \"ES384\" requires curve \"secp384r1\".""#,
        ),
        (
            "jwt.verify(jwt.sign({}, 's'), open, { algorithms: ['HS256', 'RS256'] })",
            r#""JsonWebTokenError  secretOrPublicKey must be a symmetric key when using HS256""#,
        ),
        ("jwt.verify(jwt.sign({}, 's'), open)", r#""JsonWebTokenError  invalid algorithm""#),
    ] {
        assert_eq!(eval(&case(expression)).await, expected, "{expression}");
    }
}

/// NR-89: by `global.get`; a stored value wins, and the names are not among the keys.
#[tokio::test]
async fn modules_are_found_in_the_global_context() {
    let source = "msg.payload = [typeof global.get('jsonwebtoken').sign, typeof global.get('crypto').createHash, \
                  typeof flow.get('crypto'), typeof global.get('fs'), global.keys()]; \
                  global.set('crypto', 'mine'); msg.payload.push(global.get('crypto')); return msg;";
    let plan = ScriptPlan { surface: SURFACE.into(), shares: true, ..function(source) };
    let variables = Variables::default();
    let pool = pool();
    let key = pool.register("document", &plan);
    let events = listen_with(pool.call(key, &message(&[]), &plan::Cells::default()), &variables).await;
    assert_eq!(json(&payload(&events)), r#"["function","function","undefined","undefined",[],"mine"]"#);
    assert_eq!(json(&variables.get(Reach::Document, "crypto")), "\"mine\"");
}

/// A name that the scope has already is not given to a module: nothing runs, and each message hears of it.
#[tokio::test]
async fn a_module_takes_no_name_of_the_scope() {
    let facts = r#"{"id":"fn","path":"tab/fn","libs":[{"var":"util","module":"crypto"}]}"#;
    let plan = ScriptPlan { surface: SURFACE.into(), facts: facts.into(), ..function("return msg;") };
    let events = said(&plan).await;
    let [ScriptEvent::Fault { fault, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(&*fault.message, "Error: A module cannot be called util here: the name is taken");
}
