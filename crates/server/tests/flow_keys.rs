//! Keys of a `jwt-generator` over HTTP: every form, what is refused, and tokens that open with them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{Chancery, Options, caller};
use jose::jwa::{ContentEncryption, EcCurve, KeyAlgorithm, SignatureAlgorithm, Switches};
use jose::jwe::{Decrypter, DecryptionKeys};
use jose::jwk::{Jwk, PublicJwk};
use jose::jws::{Keys, Verifier};
use jose::{DecryptionKey, KeyForm, KeyKind, PrivateJwk, RsaBits, SecretForm, VerifyingKey, base64url};
use serde_json::{Value, json};
use signer::RandomPool;

const PASSWORD: &str = "a shared secret of at least sixty-four octets, which is a long one indeed";

/// A flow of one `jwt-generator`, which answers with what it saved, or `flow.error` and 422.
fn flow(config: Value) -> Value {
    let mut config = config;
    if config.get("claims").is_none() {
        config["claims"] = json!({"iss": "i", "sub": "s"});
    }
    if config.get("save").is_none() {
        config["save"] =
            json!({"attributes": ["token", "kid", "alg", "encrypted", "nested", "public_jwk", "jwk_thumbprint"]});
    }
    json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API",
        "trigger": {"type": "api", "method": "POST", "path": "/f", "authentication": "none"},
        "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "g"}},
            {"id": "g", "type": "jwt-generator", "name": "G", "config": config, "exits": {"True": "e", "Failure": "x"}},
            {"id": "e", "type": "end-success", "config": {"body": {"json": "{{jwt}}"}}},
            {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}},
        ],
    })
}

async fn ask(chancery: &Chancery, body: &Value) -> Value {
    let body = body.to_string();
    let head = "POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let reply = chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body))
}

/// What the flow of this configuration answers; a refusal of the document is `{"refused": …}`.
async fn made(config: Value) -> Value {
    made_of(config, json!({})).await
}

async fn made_of(config: Value, body: Value) -> Value {
    let chancery = Chancery::with(Options::default());
    match chancery.deploy_as("f", &flow(config).to_string()).await {
        Ok(_) => ask(&chancery, &body).await,
        Err(error) => json!({"refused": error.to_string()}),
    }
}

/// Whether the deploy was refused with this code, at a place in the configuration of the node.
fn refused(answer: &Value, code: &str) -> bool {
    let told = answer["refused"].as_str().unwrap_or_default();
    told.contains(code) && told.contains("node g") && told.contains("/nodes/1/config/")
}

fn private(kind: KeyKind) -> PrivateJwk {
    PrivateJwk::generate(kind, &mut RandomPool::new()).unwrap()
}

fn written(key: &PrivateJwk) -> String {
    let mut text = Vec::new();
    key.write_private(&mut text);
    String::from_utf8(text).unwrap()
}

fn secret(octets: &str) -> PrivateJwk {
    PrivateJwk::from_secret(octets.as_bytes(), SecretForm::AsIs).unwrap()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&base64url::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

fn verifies(token: &str, alg: &str, key: &PrivateJwk) -> bool {
    let row = SignatureAlgorithm::by_name(alg).unwrap();
    let key = VerifyingKey::from_private(row, key, Switches::NONE).unwrap();
    Verifier::new(&[row]).unwrap().verify(token, Keys::One(&key)).is_ok()
}

fn decrypted(token: &str, alg: &str, enc: &str, key: &PrivateJwk) -> String {
    let row = KeyAlgorithm::by_name(alg).unwrap();
    let content = ContentEncryption::by_name(enc).unwrap();
    let key = DecryptionKey::new(row, key, Switches::NONE).unwrap();
    let decrypter = Decrypter::new(&[row], &[content]).unwrap();
    let opened = decrypter.decrypt(token, DecryptionKeys::One(&key), &mut RandomPool::new()).unwrap();
    String::from_utf8(opened.plaintext.to_vec()).unwrap()
}

fn asymmetric(block: Value) -> Value {
    json!({"signature": {"type": "asymmetric", "asymmetric": block}})
}

fn ec() -> PrivateJwk {
    private(KeyKind::Ec(EcCurve::P256))
}

fn public_text(key: &PrivateJwk) -> String {
    key.public().unwrap().to_json()
}

/// JG-24: the KID that is typed stands in the header; an empty one gives the thumbprint, or 128 bits that stay the same.
#[tokio::test]
async fn the_kid_is_what_is_typed_or_follows_from_the_key() {
    let typed = made(json!({"signature": {"symmetric": {"kid": "typed", "password": PASSWORD}}})).await;
    assert_eq!(typed["kid"], "typed");
    let chancery = Chancery::with(Options::default());
    let document = flow(json!({"signature": {"symmetric": {"password": PASSWORD}}})).to_string();
    chancery.deploy_as("f", &document).await.unwrap();
    let (one, two) = (ask(&chancery, &json!({})).await, ask(&chancery, &json!({})).await);
    let kid = one["kid"].as_str().unwrap();
    assert_eq!(base64url::decode(kid).unwrap().len(), 16);
    assert_eq!(one["kid"], two["kid"]);
    let elsewhere = made(json!({"signature": {"symmetric": {"password": PASSWORD}}})).await;
    assert_ne!(one["kid"], elsewhere["kid"], "another installation has another salt");
    let key = ec();
    let made = made(asymmetric(json!({"keyType": "EC", "privateKey": written(&key)}))).await;
    assert_eq!(made["kid"], key.public().unwrap().thumbprint());
    assert_eq!(made["jwk_thumbprint"], made["kid"]);
}

/// JG-25: Password only, JWK only and both that agree make the same token but for its time; two that disagree are refused.
#[tokio::test]
async fn password_and_jwk_are_two_views_of_one_key() {
    let jwk = written(&secret(PASSWORD));
    for block in [
        json!({"kid": "k", "password": PASSWORD}),
        json!({"kid": "k", "jwk": jwk}),
        json!({"kid": "k", "jwk": serde_json::from_str::<Value>(&jwk).unwrap()}),
        json!({"kid": "k", "password": PASSWORD, "jwk": jwk}),
    ] {
        let made = made(json!({"signature": {"symmetric": block}})).await;
        assert!(verifies(made["token"].as_str().unwrap(), "HS256", &secret(PASSWORD)), "{block} {made}");
    }
    let other = written(&secret("another secret of at least thirty-two octets"));
    let made_inline = made(json!({"signature": {"symmetric": {"password": PASSWORD, "jwk": other}}})).await;
    assert!(refused(&made_inline, "key.mismatch"), "{made_inline}");
    let block = json!({"password": "{{flow.request.body.p}}", "jwk": "{{flow.request.body.j}}"});
    let config = json!({"signature": {"symmetric": block}});
    let made_late = made_of(config, json!({"p": PASSWORD, "j": other})).await;
    assert_eq!(made_late["code"], "key.mismatch", "{made_late}");
    assert!(made_late["message"].as_str().unwrap().contains("signature: "), "{made_late}");
}

/// JG-27: 31 octets are refused for HS256, sign and warn where weak secrets are allowed; RSA with 1024 bits is refused.
#[tokio::test]
async fn weak_keys_are_refused() {
    let short = &PASSWORD[..31];
    let inline = made(json!({"signature": {"symmetric": {"password": short}}})).await;
    assert!(
        refused(&inline, "key.length") && inline["refused"].as_str().unwrap().contains("needs 32 octets, has 31"),
        "{inline}"
    );
    let late = json!({"signature": {"symmetric": {"password": "{{flow.request.body.p}}"}}});
    let late = made_of(late, json!({"p": short})).await;
    assert_eq!((late["code"].as_str(), late["field"].as_str()), (Some("key.length"), Some("signature")), "{late}");
    let chancery = Chancery::with(Options::default());
    let document = flow(json!({"signature": {"allowWeakHmac": true, "symmetric": {"password": short}}})).to_string();
    let report = chancery.deploy_as("f", &document).await.unwrap();
    assert!(report.diagnostics.iter().any(|told| told.code == "key.weak"));
    assert!(ask(&chancery, &json!({})).await["token"].is_string());
    let small = include_str!("../../../testdata/orchestration/rsa-1024.pem");
    let made = made(asymmetric(json!({"privateKey": small}))).await;
    assert!(refused(&made, "key.invalid"), "{made}");
}

/// JG-28, JG-30: a private key comes as PKCS#8, PKCS#1, SEC1 or JWK, or under Password; not encrypted, and not twice.
#[tokio::test]
async fn a_private_key_comes_in_every_form() {
    let (rsa, ec) = (private(KeyKind::Rsa(RsaBits::Bits2048)), ec());
    let pem = |key: &PrivateJwk, form: KeyForm| key.to_pem(form).unwrap().to_string();
    let forms = [
        ("RSA", "RS256", pem(&rsa, KeyForm::Pkcs8), &rsa),
        ("RSA", "RS256", pem(&rsa, KeyForm::Pkcs1), &rsa),
        ("RSA", "RS256", written(&rsa), &rsa),
        ("EC", "ES256", pem(&ec, KeyForm::Pkcs8), &ec),
        ("EC", "ES256", pem(&ec, KeyForm::Sec1), &ec),
        ("EC", "ES256", written(&ec), &ec),
    ];
    for (kind, alg, text, key) in forms {
        for member in ["privateKey", "password"] {
            let made = made(asymmetric(json!({"keyType": kind, member: text}))).await;
            assert!(verifies(made["token"].as_str().unwrap_or_default(), alg, key), "{kind} {member} {made}");
            assert_eq!(made["public_jwk"]["kty"], kind);
            assert!(made["public_jwk"].get("d").is_none());
        }
    }
    let both = made(asymmetric(json!({"keyType": "EC", "privateKey": written(&ec), "password": written(&ec)}))).await;
    assert!(refused(&both, "key.mismatch"), "{both}");
    let encrypted = include_str!("../../../testdata/orchestration/encrypted.pem");
    let made = made(asymmetric(json!({"privateKey": encrypted}))).await;
    assert!(refused(&made, "key.invalid"), "{made}");
}

/// JG-23, JG-29: the algorithm fixes the curve, and what contradicts the key is told.
#[tokio::test]
async fn what_contradicts_the_key_is_refused() {
    let key = private(KeyKind::Ec(EcCurve::P384));
    let chosen = made(asymmetric(json!({"keyType": "EC", "ecAlgorithm": "ES384", "privateKey": written(&key)}))).await;
    assert_eq!(chosen["public_jwk"]["crv"], "P-384");
    let (rsa, other) = (private(KeyKind::Rsa(RsaBits::Bits2048)), private(KeyKind::Rsa(RsaBits::Bits2048)));
    for block in [
        json!({"keyType": "EC", "ecAlgorithm": "ES384", "curve": "P-256", "privateKey": written(&key)}),
        json!({"keyType": "EC", "ecAlgorithm": "ES256", "privateKey": written(&key)}),
        json!({"keyType": "RSA", "privateKey": written(&key)}),
        json!({"keyType": "RSA", "privateKey": written(&rsa), "publicKey": public_text(&other)}),
        json!({"keyType": "RSA", "privateKey": written(&rsa), "keySize": 4096}),
    ] {
        let made = made(asymmetric(block.clone())).await;
        assert!(refused(&made, "key.mismatch"), "{block} {made}");
    }
    let pair = json!({"privateKey": written(&rsa), "publicKey": public_text(&rsa), "keySize": 2048});
    assert!(made(asymmetric(pair)).await["token"].is_string());
    let late = json!({"privateKey": "{{flow.request.body.k}}", "keySize": 4096});
    let late = made_of(asymmetric(late), json!({"k": written(&rsa)})).await;
    assert_eq!(late["code"], "key.mismatch", "{late}");
    let late = json!({"privateKey": "{{flow.request.body.k}}", "publicKey": "{{flow.request.body.p}}"});
    let late = made_of(asymmetric(late), json!({"k": written(&rsa), "p": public_text(&other)})).await;
    assert_eq!(late["code"], "key.mismatch", "{late}");
}

/// JG-22 (part): tokens of every algorithm verify; RSA with 2048 bits.
#[tokio::test]
async fn every_algorithm_signs() {
    let rsa = private(KeyKind::Rsa(RsaBits::Bits2048));
    let curve = |curve| private(KeyKind::Ec(curve));
    let curves = [("ES256", curve(EcCurve::P256)), ("ES384", curve(EcCurve::P384)), ("ES512", curve(EcCurve::P521))];
    for alg in ["HS256", "HS384", "HS512"] {
        let made = made(json!({"signature": {"symmetric": {"algorithm": alg, "password": PASSWORD}}})).await;
        assert!(verifies(made["token"].as_str().unwrap(), alg, &secret(PASSWORD)), "{alg} {made}");
    }
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let made = made(asymmetric(json!({"rsaAlgorithm": alg, "privateKey": written(&rsa)}))).await;
        assert!(verifies(made["token"].as_str().unwrap(), alg, &rsa), "{alg} {made}");
    }
    for (alg, key) in &curves {
        let made = made(asymmetric(json!({"keyType": "EC", "ecAlgorithm": alg, "privateKey": written(key)}))).await;
        assert!(verifies(made["token"].as_str().unwrap(), alg, key), "{alg} {made}");
    }
}

/// JG-31, JG-33, JG-34 (part): no token without signature and encryption; lengths are exact; RSA1_5 is refused.
#[tokio::test]
async fn encryption_has_its_rules() {
    let neither = made(json!({"signature": {"type": "none"}})).await;
    assert!(refused(&neither, "key.missing"), "{neither}");
    for (kind, field) in [("symmetric", "algorithm"), ("asymmetric", "rsaAlgorithm"), ("asymmetric", "ecAlgorithm")] {
        for none in ["none", "None", ""] {
            let unsigned = made(json!({"signature": {"type": kind, kind: {field: none, "password": PASSWORD}}})).await;
            assert!(refused(&unsigned, "value_illegal"), "{field} {none}: {unsigned}");
        }
    }
    let mut jwk: Value = serde_json::from_str(&written(&secret(PASSWORD))).unwrap();
    jwk["alg"] = json!("none");
    let unsigned = made(json!({"signature": {"symmetric": {"jwk": jwk}}})).await;
    assert!(refused(&unsigned, "key.mismatch"), "{unsigned}");
    let encryption =
        |block: Value| json!({"signature": {"type": "none"}, "encryption": {"type": "symmetric", "symmetric": block}});
    let short = made(encryption(json!({"algorithm": "A128KW", "password": "fifteen octets!"}))).await;
    assert!(
        refused(&short, "key.length") && short["refused"].as_str().unwrap().contains("needs 16 octets, has 15"),
        "{short}"
    );
    let late = encryption(json!({"algorithm": "A128KW", "password": "{{flow.request.body.p}}"}));
    let late = made_of(late, json!({"p": "fifteen octets!"})).await;
    let message = late["message"].as_str().unwrap();
    assert!(late["code"] == "key.length" && message.contains("16 octets") && message.contains("15 octets"), "{late}");
    let block = json!({"rsaAlgorithm": "RSA1_5", "publicKey": public_text(&private(KeyKind::Rsa(RsaBits::Bits2048)))});
    let old = made(json!({"encryption": {"type": "asymmetric", "asymmetric": block}})).await;
    assert!(refused(&old, "value_illegal"), "{old}");
}

/// JG-32 (part), JG-37: key wrapping and `dir` with all six content encryptions decrypt, nested and alone.
#[tokio::test]
async fn shared_secrets_encrypt() {
    let kek = |octets: usize| &PASSWORD[..octets];
    for (enc, octets) in [
        ("A128GCM", 16),
        ("A192GCM", 24),
        ("A256GCM", 32),
        ("A128CBC-HS256", 32),
        ("A192CBC-HS384", 48),
        ("A256CBC-HS512", 64),
    ] {
        for (alg, octets) in [
            ("A128KW", 16),
            ("A192KW", 24),
            ("A256KW", 32),
            ("A128GCMKW", 16),
            ("A192GCMKW", 24),
            ("A256GCMKW", 32),
            ("dir", octets),
        ] {
            let block = json!({"kid": "e", "algorithm": alg, "password": kek(octets)});
            let encryption = json!({"type": "symmetric", "contentEncryption": enc, "symmetric": block});
            let alone = made(json!({"signature": {"type": "none"}, "encryption": encryption})).await;
            let token = alone["token"].as_str().unwrap_or_else(|| panic!("{alone}"));
            assert!(decrypted(token, alg, enc, &secret(kek(octets))).starts_with(r#"{"iat":"#), "{alg} {enc}");
            assert!(header(token).get("cty").is_none());
            assert_eq!((&alone["encrypted"], &alone["nested"]), (&json!(true), &json!(false)));
            if enc != "A256GCM" {
                continue;
            }
            let nested =
                made(json!({"signature": {"symmetric": {"password": PASSWORD}}, "encryption": encryption})).await;
            let token = nested["token"].as_str().unwrap();
            let names: Vec<_> = header(token).as_object().unwrap().keys().take(5).cloned().collect();
            assert_eq!(names, ["alg", "enc", "typ", "cty", "kid"], "{alg}");
            assert_eq!(header(token)["cty"], "JWT");
            let inner = decrypted(token, alg, enc, &secret(kek(octets)));
            assert!(verifies(&inner, "HS256", &secret(PASSWORD)), "{alg}");
            assert_eq!((&nested["encrypted"], &nested["nested"]), (&json!(true), &json!(true)));
        }
    }
}

/// JG-35, JG-36: the four ECDH-ES forms decrypt on each curve with an `epk` of their own; Public Key and Public JWK agree or are
/// refused, and no private key stands there.
#[tokio::test]
async fn public_keys_encrypt() {
    let encryption = |block: Value| json!({"signature": {"type": "none"}, "encryption": {"type": "asymmetric", "asymmetric": block}});
    for curve in [EcCurve::P256, EcCurve::P384, EcCurve::P521] {
        let key = private(KeyKind::Ec(curve));
        for alg in ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"] {
            let chancery = Chancery::with(Options::default());
            let block = json!({"keyType": "EC", "ecAlgorithm": alg, "publicJwk": public_text(&key)});
            chancery.deploy_as("f", &flow(encryption(block)).to_string()).await.unwrap();
            let (one, two) = (ask(&chancery, &json!({})).await, ask(&chancery, &json!({})).await);
            let token = one["token"].as_str().unwrap_or_else(|| panic!("{one}"));
            assert!(decrypted(token, alg, "A256GCM", &key).contains("\"sub\":\"s\""));
            assert_ne!(header(token)["epk"], header(two["token"].as_str().unwrap())["epk"]);
            assert_eq!(header(token)["kid"], key.public().unwrap().thumbprint());
        }
    }
    let (rsa, other) = (private(KeyKind::Rsa(RsaBits::Bits2048)), private(KeyKind::Rsa(RsaBits::Bits2048)));
    let pem = Jwk::Public(rsa.public().unwrap());
    let Jwk::Public(public) = &pem else { panic!("public") };
    let pem = public.to_pem(KeyForm::Spki).unwrap();
    for block in [
        json!({"publicKey": pem}),
        json!({"publicJwk": public_text(&rsa)}),
        json!({"publicKey": pem, "publicJwk": public_text(&rsa)}),
    ] {
        let made = made(encryption(block)).await;
        decrypted(made["token"].as_str().unwrap(), "RSA-OAEP-256", "A256GCM", &rsa);
    }
    let differ = made(encryption(json!({"publicKey": pem, "publicJwk": public_text(&other)}))).await;
    assert!(refused(&differ, "key.mismatch"), "{differ}");
    let private_one = made(encryption(json!({"publicJwk": written(&rsa)}))).await;
    assert!(refused(&private_one, "key.invalid"), "{private_one}");
    let late = made_of(encryption(json!({"publicKey": "{{flow.request.body.k}}"})), json!({"k": written(&rsa)})).await;
    assert_eq!(late["code"], "key.invalid", "{late}");
}

/// JG-43 (part), JG-44 (part), JG-53 (part): inline material moves to the sealed secrets, the kept document names it, and sent
/// back it keeps it, octet for octet; no log line and no answer holds it.
#[tokio::test]
async fn key_material_leaves_the_document() {
    const CANARY: &str = "canary-4b1d-a-shared-secret-of-more-than-thirty-two-octets";
    let mut chancery = Chancery::with(Options::default());
    let config = json!({"signature": {"symmetric": {"kid": "k", "password": CANARY}}});
    chancery.deploy_as("f", &flow(config).to_string()).await.unwrap();
    let kept = |chancery: &Chancery| {
        let documents = chancery.deployments.vault().store().documents().unwrap();
        String::from_utf8(documents.into_iter().find(|document| document.name == "f").unwrap().octets).unwrap()
    };
    let first = kept(&chancery);
    assert!(
        !first.contains("canary") && first.contains(r#"{"$secret":"f/g#signature/symmetric/password"}"#),
        "{first}"
    );
    chancery.deploy_as("f", &first).await.unwrap();
    assert_eq!(kept(&chancery), first);
    let made = ask(&chancery, &json!({})).await;
    assert!(verifies(made["token"].as_str().unwrap(), "HS256", &secret(CANARY)));
    let elsewhere = first.replace("f/g#", "other/g#");
    assert!(chancery.deploy_as("f", &elsewhere).await.unwrap_err().to_string().contains("secret_unknown"));
    let log = chancery.log();
    assert!(!log.contains("canary") && !made.to_string().contains("canary"));
}

/// A secret that is set later counts from the next message on, and until then the key is missing: JG-42 (part).
#[tokio::test]
async fn a_secret_may_be_set_later() {
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy_as("f", &flow(json!({})).to_string()).await.unwrap();
    assert!(report.diagnostics.iter().any(|told| told.code == "secret_missing"));
    let missing = ask(&chancery, &json!({})).await;
    let message = "JWT - Generator \"G\": signature: no key";
    assert_eq!(missing, json!({"message": message, "code": "key.missing", "node": "g", "field": "signature"}));
    let name = chancery.deployments.secret_named("G", "signature/symmetric/password").unwrap();
    let step = server::vault::SecretStep::of_text(PASSWORD).unwrap();
    chancery.deployments.vault().change_secret(&name, &step, &caller().by()).unwrap();
    assert!(ask(&chancery, &json!({})).await["token"].is_string());
    let ring = made(json!({"signature": {"symmetric": {"keyRef": "nowhere"}}})).await;
    assert_eq!(ring["code"], "key.missing", "{ring}");
}

/// JG-39: every attribute of the list is saved with its value, plain and nested.
#[tokio::test]
async fn every_attribute_is_what_it_says() {
    let key = ec();
    let recipient = private(KeyKind::Rsa(RsaBits::Bits2048));
    let all = json!([
        "token",
        "token_type",
        "header",
        "claims",
        "iat",
        "iss",
        "sub",
        "exp",
        "aud",
        "nbf",
        "jti",
        "issued_at",
        "expires_at",
        "expires_in",
        "kid",
        "alg",
        "typ",
        "encrypted",
        "nested",
        "jwe_header",
        "enc_alg",
        "enc",
        "enc_kid",
        "public_jwk",
        "jwk_thumbprint",
    ]);
    let mut config = asymmetric(json!({"keyType": "EC", "privateKey": written(&key)}));
    config["save"] = json!({"attributes": all});
    config["ttl"] = json!(60);
    config["claims"] = json!({"iss": "i", "sub": "s", "custom": [
        {"key": "aud", "value": "[\"a\"]", "type": "Array"}, {"key": "nbf", "value": "1700000000", "type": "Number"},
        {"key": "jti", "value": "one"}, {"key": "role", "value": "true", "type": "Boolean"},
    ]});
    let plain = made(config.clone()).await;
    let thumbprint = key.public().unwrap().thumbprint();
    let (iat, exp) = (plain["iat"].as_i64().unwrap(), plain["exp"].as_i64().unwrap());
    assert_eq!((exp - iat, &plain["expires_in"]), (60, &json!(60)));
    assert_eq!((&plain["iss"], &plain["sub"], &plain["token_type"]), (&json!("i"), &json!("s"), &json!("Bearer")));
    assert_eq!((&plain["alg"], &plain["typ"], &plain["kid"]), (&json!("ES256"), &json!("JWT"), &json!(thumbprint)));
    assert_eq!(plain["header"], json!({"alg": "ES256", "typ": "JWT", "kid": thumbprint}));
    let claims = json!({"iat": iat, "iss": "i", "sub": "s", "exp": exp, "aud": ["a"], "nbf": 1_700_000_000, "jti": "one", "role": true});
    assert_eq!(plain["claims"], claims);
    assert_eq!((&plain["aud"], &plain["nbf"], &plain["jti"]), (&json!(["a"]), &json!(1_700_000_000), &json!("one")));
    assert_eq!((&plain["encrypted"], &plain["nested"]), (&json!(false), &json!(false)));
    assert_eq!(plain["jwk_thumbprint"], json!(thumbprint));
    assert!(verifies(plain["token"].as_str().unwrap(), "ES256", &key));
    assert_eq!(plain["public_jwk"]["x"], serde_json::from_str::<Value>(&public_text(&key)).unwrap()["x"]);
    for (text, secs) in [("issued_at", iat), ("expires_at", exp)] {
        let instant: jiff::Timestamp = plain[text].as_str().unwrap().parse().unwrap();
        assert!(instant.as_second() == secs && plain[text].as_str().unwrap().ends_with('Z'), "{text}");
    }
    for absent in ["jwe_header", "enc_alg", "enc", "enc_kid"] {
        assert!(plain.get(absent).is_none(), "{absent}");
    }
    config["encryption"] =
        json!({"type": "asymmetric", "asymmetric": {"kid": "r", "publicJwk": public_text(&recipient)}});
    let nested = made(config).await;
    assert_eq!((&nested["enc_alg"], &nested["enc"]), (&json!("RSA-OAEP-256"), &json!("A256GCM")));
    assert_eq!((&nested["enc_kid"], &nested["jwe_header"]["cty"]), (&json!("r"), &json!("JWT")));
    assert_eq!((&nested["encrypted"], &nested["nested"]), (&json!(true), &json!(true)));
    let inner = decrypted(nested["token"].as_str().unwrap(), "RSA-OAEP-256", "A256GCM", &recipient);
    assert!(verifies(&inner, "ES256", &key));
    assert_eq!((&nested["header"], &nested["kid"]), (&header(&inner), &json!(thumbprint)));
    let outer = header(nested["token"].as_str().unwrap());
    assert_eq!((&nested["jwe_header"], &nested["claims"]["role"]), (&outer, &json!(true)));
    assert_eq!((&nested["alg"], &nested["sub"]), (&json!("ES256"), &json!("s")));
    let _: PublicJwk = PublicJwk::parse(nested["public_jwk"].to_string().as_bytes()).unwrap();
}
