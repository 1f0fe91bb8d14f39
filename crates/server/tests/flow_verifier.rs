//! `jwt-verifier` over HTTP: tokens of every algorithm, and each way in which one does not hold.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{Chancery, Options, caller};
use jose::jwa::{EcCurve, SignatureAlgorithm};
use jose::{KeyKind, PrivateJwk, RsaBits, base64url};
use serde_json::{Value, json};
use server::rings::{NewRingSpec, RingSigner, Timing};
use signer::RandomPool;

const PASSWORD: &str = "a shared secret of at least sixty-four octets, which is a long one indeed";
const SAVED: [&str; 8] = ["claims", "alg", "kid", "encrypted", "nested", "enc", "public_jwk", "exp"];

/// Two flows: `/make` answers with a token by this configuration of a `jwt-generator`, `/check` with what a `jwt-verifier` of
/// the other saves of the token that is sent to it, or with `flow.error` and 422.
struct Flows(Chancery);

impl Flows {
    async fn new(make: Value, check: Value) -> Self {
        let flows = Self(Chancery::with(Options::default()));
        flows.deploy(make, check).await.unwrap();
        flows
    }

    async fn deploy(&self, make: Value, check: Value) -> Result<(), String> {
        let (mut make, mut check) = (make, check);
        if make.get("claims").is_none() {
            make["claims"] = json!({
                "include": {"exp": false}, "iss": "issuer", "sub": "alice", "custom": [
                    {"key": "aud", "value": "[\"a\", \"b\"]", "type": "Array"},
                    {"key": "exp", "value": "{{flow.request.body.exp}}", "type": "Number"},
                    {"key": "nbf", "value": "{{flow.request.body.nbf}}", "type": "Number"}],
            });
        }
        check["jwt"] = json!("{{flow.request.body.token}}");
        if check.get("save").is_none() {
            check["save"] = json!({"attributes": SAVED});
        }
        for (id, kind, config, told) in
            [("make", "jwt-generator", make, "{{jwt.token}}"), ("check", "jwt-verifier", check, "{{jwt}}")]
        {
            let document = json!({
                "format": "chancery.orchestration/1", "id": id, "category": "API",
                "trigger": {"type": "api", "method": "POST", "path": format!("/{id}"), "authentication": "none"},
                "nodes": [
                    {"id": "s", "type": "start", "exits": {"Next": "n"}},
                    {"id": "n", "type": kind, "name": "N", "config": config, "exits": {"True": "e", "Failure": "x"}},
                    {"id": "e", "type": "end-success", "config": {"body": {"json": told}}},
                    {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}},
                ],
            });
            self.0.deploy_as(id, &document.to_string()).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
        let reply = self.0.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
        serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body))
    }

    /// A token that lives from `nbf` seconds before now to `exp` after.
    async fn make(&self, (nbf, exp): (i64, i64)) -> String {
        let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
        let made = self.post("/make", &json!({"nbf": now - nbf, "exp": now + exp})).await;
        made.as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    async fn check(&self, token: &str) -> Value {
        self.post("/check", &json!({"token": token})).await
    }

    /// The code that a fresh token is refused with.
    async fn refused(&self) -> Value {
        self.check(&self.make((0, 60)).await).await["code"].clone()
    }
}

fn private(kind: KeyKind) -> PrivateJwk {
    PrivateJwk::generate(kind, &mut RandomPool::new()).unwrap()
}

fn written(key: &PrivateJwk) -> String {
    let mut text = Vec::new();
    key.write_private(&mut text);
    String::from_utf8(text).unwrap()
}

fn public(key: &PrivateJwk) -> String {
    key.public().unwrap().to_json()
}

fn hmac(algorithm: &str) -> Value {
    json!({"signature": {"symmetric": {"algorithm": algorithm, "password": PASSWORD}}})
}

/// The generator's configuration, and the verifier's that fits it.
fn pair(kind: &str, algorithm: &str, key: &PrivateJwk) -> (Value, Value) {
    let name = if kind == "RSA" { "rsaAlgorithm" } else { "ecAlgorithm" };
    let block = |member: &str, text: String| json!({"signature": {"type": "asymmetric", "asymmetric": {"keyType": kind, name: algorithm, member: text}}});
    (block("privateKey", written(key)), block("publicKey", public(key)))
}

/// The token with another character in the middle of one of its parts.
fn altered(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let at = parts[part].len() / 2;
    let other = if &parts[part][at..=at] == "A" { "B" } else { "A" };
    parts[part].replace_range(at..=at, other);
    parts.join(".")
}

fn curves() -> [(&'static str, EcCurve); 3] {
    [("ES256", EcCurve::P256), ("ES384", EcCurve::P384), ("ES512", EcCurve::P521)]
}

/// JG-48: tokens of every algorithm of signatures are taken with their claims; altered ones, and those of another algorithm of
/// the same key, are not.
#[tokio::test]
async fn tokens_of_every_signature_are_checked() {
    let rsa = private(KeyKind::Rsa(RsaBits::Bits2048));
    let ec = curves().map(|(name, curve)| (name, private(KeyKind::Ec(curve))));
    let mut cases: Vec<(&str, (Value, Value))> =
        ["HS256", "HS384", "HS512"].map(|name| (name, (hmac(name), hmac(name)))).into();
    cases.extend(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map(|name| (name, pair("RSA", name, &rsa))));
    cases.extend(ec.iter().map(|(name, key)| (*name, pair("EC", name, key))));
    let flows = Flows(Chancery::with(Options::default()));
    let mut last: Option<String> = None;
    for (name, (make, check)) in cases {
        flows.deploy(make, check).await.unwrap();
        let token = flows.make((0, 60)).await;
        let saved = flows.check(&token).await;
        assert_eq!((&saved["alg"], &saved["claims"]["sub"]), (&json!(name), &json!("alice")), "{saved}");
        assert_eq!((&saved["encrypted"], saved["public_jwk"].is_object()), (&json!(false), !name.starts_with("HS")));
        assert_eq!(flows.check(&altered(&token, 2)).await["code"], "token.signature", "{name}");
        assert_eq!(flows.check(&altered(&token, 1)).await["code"], "token.signature", "{name}");
        if let Some(other) = last.replace(token) {
            let error = flows.check(&other).await;
            let message = "JWT - Verifier \"N\": the algorithm of the token is not the configured one";
            assert_eq!(
                error,
                json!({"message": message, "code": "token.algorithm", "node": "n", "field": "jwt"}),
                "{name}"
            );
        }
    }
}

fn kept(algorithm: &str, content: &str, octets: usize) -> Value {
    json!({"signature": {"type": "none"}, "encryption": {"type": "symmetric", "contentEncryption": content,
        "symmetric": {"algorithm": algorithm, "password": &PASSWORD[..octets]}}})
}

/// JG-48: tokens of every algorithm of encryption are opened, alone and around a signed one; altered ones and those of another
/// algorithm are not.
#[tokio::test]
async fn tokens_of_every_encryption_are_opened() {
    let flows = Flows(Chancery::with(Options::default()));
    let contents = ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"];
    let keys =
        [("A128KW", 16), ("A192KW", 24), ("A256KW", 32), ("A128GCMKW", 16), ("A192GCMKW", 24), ("A256GCMKW", 32)];
    let wrapped = keys.iter().zip(contents).map(|((name, octets), content)| kept(name, content, *octets));
    let direct =
        contents.into_iter().zip([16, 24, 32, 32, 48, 64]).map(|(content, octets)| kept("dir", content, octets));
    let cases: Vec<Value> = wrapped.chain(direct).collect();
    for config in &cases {
        flows.deploy(config.clone(), config.clone()).await.unwrap();
        let token = flows.make((0, 60)).await;
        let saved = flows.check(&token).await;
        let expected = (&json!("alice"), &json!(true), &json!(false), &config["encryption"]["contentEncryption"]);
        assert_eq!(
            (&saved["claims"]["sub"], &saved["encrypted"], &saved["nested"], &saved["enc"]),
            expected,
            "{saved}"
        );
        assert_eq!(flows.check(&altered(&token, 3)).await["code"], "token.decryption", "{config}");
    }
    let token = flows.make((0, 60)).await;
    flows.deploy(cases[0].clone(), cases[0].clone()).await.unwrap();
    assert_eq!(flows.check(&token).await["code"], "token.algorithm");
    let (make, mut check) = (kept("A128KW", "A128GCM", 16), kept("A128KW", "A256GCM", 16));
    flows.deploy(make.clone(), check.clone()).await.unwrap();
    assert_eq!(flows.refused().await, "token.algorithm");
    check["encryption"]["contentEncryption"] = json!("A128GCM");
    check["encryption"]["symmetric"]["password"] = json!(&PASSWORD[1..17]);
    flows.deploy(make, check).await.unwrap();
    assert_eq!(flows.refused().await, "token.decryption");
}

/// JG-48: the same with a key pair of the recipient, nested in each of its forms.
#[tokio::test]
async fn nested_tokens_are_opened_with_a_private_key() {
    let rsa = private(KeyKind::Rsa(RsaBits::Bits2048));
    let ec = [EcCurve::P256, EcCurve::P384, EcCurve::P521].map(|curve| private(KeyKind::Ec(curve)));
    let of_rsa = ["RSA-OAEP", "RSA-OAEP-256"].map(|name| ("RSA", "rsaAlgorithm", name, &rsa));
    let ecdh = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"];
    let of_ec = ecdh.iter().zip(ec.iter().cycle()).map(|(name, key)| ("EC", "ecAlgorithm", *name, key));
    let flows = Flows(Chancery::with(Options::default()));
    for (kind, member, name, key) in of_rsa.into_iter().chain(of_ec) {
        let layer = |part: &str, text: String| json!({"type": "asymmetric", "asymmetric": {"keyType": kind, member: name, part: text}});
        let (mut make, mut check) = (hmac("HS256"), hmac("HS256"));
        make["encryption"] = layer("publicJwk", public(key));
        check["encryption"] = layer("privateKey", written(key));
        flows.deploy(make.clone(), check.clone()).await.unwrap();
        let token = flows.make((0, 60)).await;
        let saved = flows.check(&token).await;
        assert_eq!(
            (&saved["alg"], &saved["nested"], &saved["claims"]["sub"]),
            (&json!("HS256"), &json!(true), &json!("alice")),
            "{saved}"
        );
        assert_eq!(flows.check(&altered(&token, 3)).await["code"], "token.decryption", "{name}");
        check["signature"]["symmetric"]["password"] = json!(&PASSWORD[1..]);
        flows.deploy(make, check).await.unwrap();
        assert_eq!(flows.refused().await, "token.signature", "{name}");
    }
}

/// JG-48: times count to the second with the tolerance that is configured, and claims are held against what is expected.
#[tokio::test]
async fn claims_are_held_against_what_is_expected() {
    let mut check = hmac("HS256");
    check["expected"] = json!({"iss": "issuer", "aud": "{{flow.request.body.for}}", "claims": ["sub", "aud"]});
    let flows = Flows::new(hmac("HS256"), check.clone()).await;
    let asked = async |token: &str, aud: &str| flows.post("/check", &json!({"token": token, "for": aud})).await;
    let token = flows.make((0, 60)).await;
    for aud in ["a", "b"] {
        assert_eq!(asked(&token, aud).await["claims"]["aud"], json!(["a", "b"]));
    }
    let error = asked(&token, "c").await;
    let message = "JWT - Verifier \"N\": claim \"aud\": the token is for another audience";
    assert_eq!(error, json!({"message": message, "code": "claim.value", "node": "n", "field": "expected/aud"}));
    let expired = asked(&flows.make((0, -1)).await, "a").await;
    assert_eq!(
        (&expired["code"], &expired["message"]),
        (&json!("token.expired"), &json!("JWT - Verifier \"N\": the token has expired"))
    );
    assert_eq!(asked(&flows.make((-30, 60)).await, "a").await["code"], "token.not_yet");
    check["expected"] = json!({"iss": "other"});
    flows.deploy(hmac("HS256"), check.clone()).await.unwrap();
    let error = flows.check(&token).await;
    assert_eq!((&error["code"], &error["field"]), (&json!("claim.value"), &json!("expected/iss")));
    check["expected"] = json!({"claims": ["sub", "jti"]});
    flows.deploy(hmac("HS256"), check.clone()).await.unwrap();
    let error = flows.check(&token).await;
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("claim.missing"), &json!("JWT - Verifier \"N\": claim \"jti\" is missing"))
    );
    check["expected"] = json!({});
    check["clockTolerance"] = json!(30);
    flows.deploy(hmac("HS256"), check.clone()).await.unwrap();
    for times in [(0, -20), (-20, 60)] {
        assert_eq!(flows.check(&flows.make(times).await).await["claims"]["sub"], "alice", "{times:?}");
    }
    assert_eq!(flows.check(&flows.make((0, -31)).await).await["code"], "token.expired");
    check["clockTolerance"] = json!(301);
    assert!(flows.deploy(hmac("HS256"), check).await.unwrap_err().contains("value_illegal"));
}

/// JG-48: what is no token, or not the kind of token that is configured, is told; so is what is wrong with a key.
#[tokio::test]
async fn what_is_no_token_is_told() {
    let flows = Flows::new(hmac("HS256"), hmac("HS256")).await;
    for (token, code) in [
        (json!(null), "variable.missing"),
        (json!(""), "token.missing"),
        (json!(7), "token.malformed"),
        (json!("a.b.c"), "token.malformed"),
        (json!("x".repeat(65_537)), "token.malformed"),
        (json!("e30.e30.e30"), "token.malformed"),
        (json!(format!("{}..", base64url::encode(br#"{"alg":"none"}"#))), "token.algorithm"),
        (json!(format!("{}.e30.", base64url::encode(br#"{"alg":"<script>"}"#))), "token.algorithm"),
    ] {
        let error = flows.post("/check", &json!({"token": token})).await;
        assert_eq!(error["code"], code, "{token}: {error}");
        assert!(!error["message"].as_str().unwrap().contains("script"), "{error}");
    }
    let token = flows.make((0, 60)).await;
    assert_eq!(flows.check(&format!("Bearer {token}")).await["claims"]["sub"], "alice");
    flows.deploy(kept("A128KW", "A128GCM", 16), hmac("HS256")).await.unwrap();
    assert_eq!(flows.refused().await, "token.malformed", "encrypted, where a signed one is due");
    flows.deploy(hmac("HS256"), kept("A128KW", "A128GCM", 16)).await.unwrap();
    assert_eq!(flows.refused().await, "token.malformed", "signed, where an encrypted one is due");
    let mut nested = hmac("HS256");
    nested["encryption"] = kept("A128KW", "A128GCM", 16)["encryption"].clone();
    flows.deploy(nested.clone(), kept("A128KW", "A128GCM", 16)).await.unwrap();
    assert_eq!(flows.refused().await, "token.malformed", "a signature that nobody would check");
    flows.deploy(kept("A128KW", "A128GCM", 16), nested).await.unwrap();
    assert_eq!(flows.refused().await, "token.malformed", "claims, where a signed token is due inside");
    let weak = json!({"signature": {"symmetric": {"password": "{{flow.request.body.exp}}"}}});
    flows.deploy(hmac("HS256"), weak).await.unwrap();
    let error = flows.post("/check", &json!({"token": flows.make((0, 60)).await, "exp": "short"})).await;
    let message = "JWT - Verifier \"N\": signature: HS256 needs 32 octets, the secret has 5";
    assert_eq!(error, json!({"message": message, "code": "key.length", "node": "n", "field": "signature"}));
    let flows = Flows::new(hmac("HS256"), json!({})).await;
    assert_eq!(flows.refused().await, "key.missing", "a secret that nobody has set yet");
}

/// Keys are held against their settings before anything is deployed.
#[tokio::test]
async fn keys_that_cannot_open_are_refused() {
    let (ec, other) = (private(KeyKind::Ec(EcCurve::P256)), private(KeyKind::Ec(EcCurve::P256)));
    let flows = Flows(Chancery::with(Options::default()));
    let asymmetric = |block: Value| json!({"signature": {"type": "asymmetric", "asymmetric": block}});
    for (check, code) in [
        (json!({"signature": {"type": "none"}}), "key.missing"),
        (asymmetric(json!({"keyType": "EC", "publicKey": written(&ec)})), "key.invalid"),
        (asymmetric(json!({"keyType": "EC", "publicKey": public(&ec), "publicJwk": public(&other)})), "key.mismatch"),
        (asymmetric(json!({"keyType": "RSA", "publicKey": public(&ec)})), "key.mismatch"),
        (asymmetric(json!({"keyType": "EC", "ecAlgorithm": "ES384", "publicKey": public(&ec)})), "key.mismatch"),
        (json!({"signature": {"symmetric": {"password": "short"}}}), "key.length"),
        (kept("A128KW", "A128GCM", 15), "key.length"),
        (json!({"encryption": {"type": "asymmetric", "asymmetric": {"privateKey": public(&ec)}}}), "key.invalid"),
        (json!({"signature": {"symmetric": {"kid": "k"}}}), "member_unknown"),
    ] {
        let told = flows.deploy(hmac("HS256"), check.clone()).await.unwrap_err();
        assert!(told.contains(code), "{check}: {told}");
    }
}

fn ring(name: &str, algorithm: &str) -> NewRingSpec {
    NewRingSpec {
        tenant: "public".to_owned(),
        name: name.to_owned(),
        algorithm: SignatureAlgorithm::by_name(algorithm).unwrap(),
        kid_prefix: "",
        timing: Timing::Rotating(keyring::Span::from_secs(604_800)),
        signer: RingSigner::Software,
        is_strict: false,
    }
}

/// A ring verifies what it has signed, under the algorithm that is configured and no other.
#[tokio::test]
async fn a_ring_verifies() {
    let flows = Flows(Chancery::with(Options::default()));
    let rings = [ring("es256", "ES256"), ring("hs256", "HS256"), ring("hs512", "HS512")];
    flows.0.rings.make(&rings, &caller().by()).unwrap();
    let of_pair = |algorithm: &str, name: &str| json!({"signature": {"type": "asymmetric", "asymmetric": {"keyType": "EC", "ecAlgorithm": algorithm, "keyRef": name}}});
    let of_secret =
        |algorithm: &str, name: &str| json!({"signature": {"symmetric": {"algorithm": algorithm, "keyRef": name}}});
    let key = private(KeyKind::Ec(EcCurve::P256));
    flows.deploy(pair("EC", "ES256", &key).0, of_pair("ES256", "es256")).await.unwrap();
    assert_eq!(flows.refused().await, "token.signature", "a key that is none of the ring's");
    for (sign, fits, unfit) in [
        (of_pair("ES256", "es256"), "es256", of_pair("ES384", "es256")),
        (of_secret("HS256", "hs256"), "hs256", of_secret("HS512", "hs256")),
    ] {
        let mut signed = sign.clone();
        signed["claims"] = json!({"iss": "issuer", "sub": "alice"});
        flows.deploy(signed.clone(), sign).await.unwrap();
        let token = flows.make((0, 60)).await;
        assert_eq!(flows.check(&token).await["claims"]["sub"], "alice", "{fits}");
        let last = if token.ends_with('A') { "B" } else { "A" };
        let wrong = format!("{}{last}", &token[..token.len() - 1]);
        assert_ne!(flows.check(&wrong).await["code"], Value::Null, "{fits}");
        flows.deploy(signed.clone(), unfit).await.unwrap();
        assert_eq!(flows.check(&token).await["code"], "key.mismatch", "{fits}");
        flows.deploy(signed, of_pair("ES256", "nowhere")).await.unwrap();
        assert_ne!(flows.check(&token).await["code"], Value::Null, "{fits}");
    }
    let mut signed = of_secret("HS256", "hs256");
    signed["claims"] = json!({"iss": "issuer", "sub": "alice"});
    flows.deploy(signed, pair("EC", "ES256", &key).1).await.unwrap();
    assert_eq!(flows.refused().await, "token.algorithm");
}

/// Two views of a key that the message brings along must agree, as those in a document must.
#[tokio::test]
async fn two_views_of_a_key_agree() {
    let (key, other) = (private(KeyKind::Ec(EcCurve::P256)), private(KeyKind::Ec(EcCurve::P256)));
    let (make, _) = pair("EC", "ES256", &key);
    let check = json!({"signature": {"type": "asymmetric", "asymmetric": {"keyType": "EC",
        "publicKey": "{{flow.request.body.one}}", "publicJwk": "{{flow.request.body.two}}"}}});
    let flows = Flows::new(make, check).await;
    let token = flows.make((0, 60)).await;
    let asked =
        async |one: &str, two: &str| flows.post("/check", &json!({"token": token, "one": one, "two": two})).await;
    assert_eq!(asked(&public(&key), &public(&key)).await["claims"]["sub"], "alice");
    assert_eq!(asked(&public(&key), &public(&other)).await["code"], "key.mismatch");
    assert_eq!(asked(&public(&other), &public(&other)).await["code"], "token.signature");
    assert_eq!(asked(&written(&key), &public(&key)).await["code"], "key.invalid");
}
