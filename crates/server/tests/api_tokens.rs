//! Tokens of API definitions: their keys, their claims, what opens them again, and what is told when they cannot be made.

#![allow(clippy::disallowed_methods, reason = "keys are files")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use dialects::api_connect::crypto_key;
use house::Reply;
use house::chancery::{Chancery, Options};
use jose::base64url;
use jose::jwk::Jwk;
use serde_json::{Value, json};
use server::deployment::ApiSettings;

const API_GATEWAY: &str = "datapower-api-gateway";
const V5: &str = "datapower-gateway";
/// A secret of 33 octets, whose `kid` is `K`.
const OCT: &str = r#"{"kty":"oct","kid":"K","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#;
/// Another.
const OTHER: &str = r#"{"kty":"oct","kid":"O","k":"b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI"}"#;

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/api-connect/keys");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A definition with one operation, `/t`, these properties by name, and these steps.
fn definition(gateway: &str, properties: &Value, execute: &Value) -> Value {
    let properties: serde_json::Map<_, _> =
        properties.as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!({"value": value}))).collect();
    json!({
        "swagger": "2.0", "info": {"title": "Orders", "version": "1"},
        "paths": {"/t": {"get": {}, "post": {}}},
        "x-ibm-configuration": {"gateway": gateway, "properties": properties, "assembly": {"execute": execute}},
    })
}

/// The definition with a clause that answers the name of any error, and the two details.
fn catching(mut definition: Value) -> Value {
    let body = "$(error.name)|$(jwt-generate.error-message)|$(jwt-validate.error-message)|$(error.message)";
    definition["x-ibm-configuration"]["assembly"]["catch"] =
        json!([{"default": [{"set-variable": {"actions": [{"set": "message.body", "value": body}]}}]}]);
    definition
}

/// A `jwt-generate` with these properties besides issuer, lifetime and target.
fn generate(properties: &Value) -> Value {
    let mut block = json!({"jwt": "generated.jwt", "iss-claim": "$(iss)", "exp-claim": 60});
    block.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    json!({"jwt-generate": block})
}

fn validate(properties: &Value) -> Value {
    let mut block = json!({"jwt": "generated.jwt", "output-claims": "decoded.claims"});
    block.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    json!({"jwt-validate": block})
}

fn answer(value: &str) -> Value {
    json!({"set-variable": {"actions": [{"set": "message.body", "value": value}]}})
}

async fn serving(definition: &Value) -> Chancery {
    with_keys(Vec::new(), definition).await
}

/// The definition, served with these crypto objects.
async fn with_keys(keys: Vec<(&str, Jwk)>, definition: &Value) -> Chancery {
    let crypto = keys.iter().map(|(name, _)| (*name).to_owned()).collect();
    let chancery =
        Chancery::with(Options { apis: ApiSettings { crypto, ..ApiSettings::default() }, ..Options::default() });
    for (name, key) in keys {
        chancery.deployments.vault().signer().give_key(crypto_key(name), key);
    }
    chancery.deploy_as("api", &definition.to_string()).await.unwrap();
    chancery
}

fn key(text: &str) -> Jwk {
    Jwk::import(text.as_bytes()).unwrap()
}

/// What a definition of these properties and steps answers.
async fn answered(properties: Value, execute: Value) -> Reply {
    let mut properties = properties;
    properties["iss"] = json!("me");
    serving(&catching(definition(API_GATEWAY, &properties, &execute))).await.get("/t").await
}

/// Header and claims of the token in a reply.
fn token(reply: &Reply) -> [Value; 2] {
    assert_eq!(reply.status, 200, "{reply:?}");
    let token = reply.body.strip_prefix("Bearer ").unwrap_or(&reply.body);
    let mut parts = token.split('.');
    let mut part = || serde_json::from_slice(&base64url::decode(parts.next().unwrap()).unwrap()).unwrap();
    [part(), part()]
}

/// The detail of the failure in a reply.
fn detail(reply: &Reply) -> &str {
    let mut parts = reply.body.split('|');
    assert_eq!(parts.next(), Some("RuntimeError"), "{reply:?}");
    parts.next().unwrap()
}

/// AC-39: each family takes its own kind of key alone, and only one that can sign.
#[tokio::test]
async fn an_algorithm_takes_its_own_kind_of_key() {
    let ec = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    let rsa: Value = serde_json::from_str(&file("rsa-4098.json")).unwrap();
    let public = json!({"kty": "RSA", "n": rsa["n"], "e": rsa["e"]}).to_string();
    for (algorithm, key, needed) in [
        ("HS256", rsa.to_string(), "oct"),
        ("RS256", OCT.to_owned(), "RSA"),
        ("PS512", OCT.to_owned(), "RSA"),
        ("ES256", OCT.to_owned(), "EC"),
        ("ES256", rsa.to_string(), "EC"),
        ("ES256", ec.to_owned(), "public"),
        ("RS256", public, "public"),
    ] {
        let steps = json!([generate(&json!({"jws-jwk": "key", "jws-alg": algorithm})), answer("$(generated.jwt)")]);
        let reply = answered(json!({"key": key}), steps).await;
        let told = detail(&reply).to_lowercase();
        assert!(told.contains(&needed.to_lowercase()), "{algorithm} with {needed}: {told}");
    }
}

/// AC-40: a crypto object may be a secret or a private key in PKCS#1, PKCS#8 or SEC1.
#[tokio::test]
async fn crypto_objects_sign() {
    let secret = Jwk::Private(
        jose::PrivateJwk::from_secret(b"a secret of the operator, long enough", jose::SecretForm::AsIs).unwrap(),
    );
    for (algorithm, bound) in [
        ("HS256", secret),
        ("RS256", key(&file("rsa-pkcs1.pem"))),
        ("PS256", key(&file("rsa-pkcs8.pem"))),
        ("ES256", key(&file("ec-sec1.pem"))),
        ("ES256", key(&file("ec-pkcs8.pem"))),
    ] {
        let steps = json!([
            generate(&json!({"jws-crypto": "mine", "jws-alg": algorithm})),
            validate(&json!({"jws-crypto": "mine"})),
            answer("$(generated.jwt)"),
        ]);
        let document = catching(definition(V5, &json!({"iss": "me"}), &steps));
        let reply = with_keys(vec![("mine", bound)], &document).await.get("/t").await;
        assert_eq!(token(&reply)[0], json!({"alg": algorithm}));
    }
}

/// AC-41, AC-42, AC-43: beside a JWK the crypto object signs, also one bound by a pattern; one that is not bound fails by its
/// name and the JWK never stands in for it.
#[tokio::test]
async fn a_crypto_object_beats_a_jwk() {
    let name = "org_sandbox_tlsp-mineV1.0.0-key";
    let steps = |verifier: Value| {
        json!([
            generate(&json!({"jws-crypto": name, "jws-jwk": "key", "jws-alg": "HS256"})),
            validate(&verifier),
            answer("$(decoded.claims.iss)"),
        ])
    };
    let properties = json!({"key": OCT, "iss": "me"});
    let document = |verifier| catching(definition(API_GATEWAY, &properties, &steps(verifier)));
    let bound = || vec![("*_tlsp-*-key", key(OTHER))];
    let by_crypto = document(json!({"jws-crypto": name}));
    assert_eq!(with_keys(bound(), &by_crypto).await.get("/t").await.body, "me");
    // Beside a JWK that does not fit, the crypto object verifies as well.
    let by_both = document(json!({"jws-crypto": name, "jws-jwk": "key"}));
    assert_eq!(with_keys(bound(), &by_both).await.get("/t").await.body, "me");
    let by_jwk = with_keys(bound(), &document(json!({"jws-jwk": "key"}))).await.get("/t").await;
    assert!(by_jwk.body.starts_with("RuntimeError||"), "{by_jwk:?}");
    let unbound = serving(&document(json!({"jws-jwk": "key"}))).await.get("/t").await;
    assert!(detail(&unbound).contains(&format!("the name `{name}`")), "{unbound:?}");
}

/// AC-44: a JWK comes as text with blanks, as an object, as a list of one, and behind a property.
#[tokio::test]
async fn a_jwk_comes_in_many_shapes() {
    let spaced = OCT.replace(',', " ,\n\t ").replace(':', " : ");
    let object: Value = serde_json::from_str(OCT).unwrap();
    for (named, value) in [
        ("key", json!(spaced)),
        ("key", object.clone()),
        ("key", json!([object.clone()])),
        ("key", json!(format!("[{OCT}]"))),
        ("key", json!({"keys": [object.clone()]})),
        ("$(key)", json!(OCT)),
        ("$(api.properties.key)", json!(OCT)),
        ("set.keys[0]", json!(OCT)),
    ] {
        let steps = json!([
            {"set-variable": {"actions": [{"set": "set.keys", "value": [object.clone()]}]}},
            generate(&json!({"jws-jwk": named, "jws-alg": "HS256"})),
            answer("$(generated.jwt)"),
        ]);
        let reply = answered(json!({"key": value.clone()}), steps).await;
        assert_eq!(token(&reply)[0], json!({"kid": "K", "alg": "HS256"}), "{named} {value}");
    }
}

/// AC-46, AC-48 (part): a modulus of 4098 bits makes signatures of 513 octets, and its public half verifies them.
#[tokio::test]
async fn an_odd_modulus_signs() {
    let private: Value = serde_json::from_str(&file("rsa-4098.json")).unwrap();
    let public = json!({"kty": "RSA", "n": private["n"], "e": private["e"]});
    let steps = json!([
        generate(&json!({"jws-jwk": "key", "jws-alg": "RS256"})),
        validate(&json!({"jws-jwk": "public"})),
        answer("$(generated.jwt)"),
    ]);
    let reply = answered(json!({"key": private, "public": public}), steps).await;
    let signature = base64url::decode(reply.body.rsplit('.').next().unwrap()).unwrap();
    assert_eq!(signature.len(), 513, "{reply:?}");
}

/// AC-47, AC-48: secrets of any length sign, a short one with a warning, an empty one not at all; without `jws-alg` the JWK's
/// own counts, else its type decides, with a warning for a secret.
#[tokio::test]
async fn secrets_of_any_length_sign_and_may_choose() {
    let secret = |octets: &[u8], alg: Option<&str>| {
        let mut key = json!({"kty": "oct", "k": base64url::encode(octets)});
        if let Some(alg) = alg {
            key["alg"] = alg.into();
        }
        key
    };
    for (key, algorithm, made, warned) in [
        (secret(&[7; 256], None), Some("HS256"), Some("HS256"), false),
        (secret(&[7; 8], None), Some("HS256"), Some("HS256"), true),
        (secret(&[], None), Some("HS256"), None, false),
        (secret(&[7; 64], Some("HS512")), None, Some("HS512"), false),
        (secret(&[7; 64], None), None, Some("HS256"), true),
    ] {
        let mut wanted = json!({"jws-jwk": "key"});
        if let Some(algorithm) = algorithm {
            wanted["jws-alg"] = algorithm.into();
        }
        let document =
            definition(V5, &json!({"key": key, "iss": "me"}), &json!([generate(&wanted), answer("$(generated.jwt)")]));
        let mut chancery = serving(&catching(document)).await;
        let reply = chancery.get("/t").await;
        match made {
            Some(made) => assert_eq!(token(&reply)[0], json!({"alg": made}), "{key}"),
            None => assert!(!detail(&reply).is_empty()),
        }
        let log = chancery.log();
        assert_eq!(log.contains(r#""level":"warn""#), warned || made.is_none() && log.contains("warn"), "{key}: {log}");
    }
}

/// Requests at once and one after the other have their key parsed once, and another key in its place works from the next
/// request on.
#[tokio::test]
async fn a_key_is_parsed_once_for_all_requests() {
    let mut bare: Value = serde_json::from_str(&file("rsa-4098.json")).unwrap();
    let document = |key: &Value| {
        let steps = json!([generate(&json!({"jws-jwk": "key", "jws-alg": "RS256"})), answer("$(generated.jwt)")]);
        catching(definition(API_GATEWAY, &json!({"key": key, "iss": "me"}), &steps))
    };
    let chancery = serving(&document(&bare)).await;
    let prepared = || chancery.deployments.vault().signer().keys_prepared().load(Ordering::Relaxed);
    for _ in 0..2 {
        let (one, two, three) = tokio::join!(chancery.get("/t"), chancery.get("/t"), chancery.get("/t"));
        assert_eq!([one.status, two.status, three.status], [200; 3]);
    }
    assert_eq!(prepared(), 1);
    bare["kid"] = json!("another");
    chancery.deploy_as("api", &document(&bare).to_string()).await.unwrap();
    let [header, _] = token(&chancery.get("/t").await);
    assert_eq!((&header["kid"], prepared()), (&json!("another"), 2));
}

/// AC-56, AC-57: encrypted alone, the claims are the plaintext; a key of the wrong length fails with both lengths.
#[tokio::test]
async fn claims_are_encrypted_with_keys_of_the_right_length() {
    let oct = |octets: usize| json!({"kty": "oct", "k": base64url::encode(&vec![7; octets])});
    let steps = |algorithm: &str| {
        json!([
            generate(&json!({"jwe-jwk": "key", "jwe-alg": algorithm, "jwe-enc": "A128CBC-HS256"})),
            validate(&json!({"jwe-jwk": "key"})),
            answer("$(decoded.claims.iss) $(decoded.claims)"),
        ])
    };
    for (algorithm, octets) in [("A128KW", 16), ("A192KW", 24), ("A256KW", 32), ("dir", 32)] {
        let reply = answered(json!({"key": oct(octets)}), steps(algorithm)).await;
        assert!(reply.body.starts_with(r#"me {"iss":"me","exp":"#), "{algorithm}: {reply:?}");
        let reply = answered(json!({"key": oct(octets + 1)}), steps(algorithm)).await;
        let (needed, found) = ((octets * 8).to_string(), ((octets + 1) * 8).to_string());
        let told = detail(&reply);
        assert!(told.contains(&needed) && told.contains(&found), "{algorithm}: {told}");
    }
}

/// What is served when the operator has said whether `none` may be named, and what a deploy told of it.
async fn unsigned(allow_unsigned: bool, gateway: &str, properties: &Value, steps: Value) -> (Reply, Vec<&'static str>) {
    let document = catching(definition(gateway, properties, &steps)).to_string();
    let apis = ApiSettings { allow_unsigned, ..ApiSettings::default() };
    let chancery = Chancery::with(Options { apis, ..Options::default() });
    let report = chancery.deploy_as("api", &document).await.unwrap();
    (chancery.get("/t").await, report.diagnostics.iter().map(|told| told.code).collect())
}

/// AC-32: a token that nobody signed is made only where the operator allows it, which a deploy tells; from a variable never; and
/// no validating step takes it.
#[tokio::test]
async fn unsigned_tokens_need_the_operators_word() {
    let properties = json!({"key": OCT, "iss": "me", "v": "none"});
    for gateway in [API_GATEWAY, V5] {
        for key in [json!({}), json!({"jws-jwk": "key"})] {
            let with = |algorithm: &str| {
                let mut block = key.clone();
                block["jws-alg"] = algorithm.into();
                json!([generate(&block), answer("$(generated.jwt)")])
            };
            let (reply, told) = unsigned(false, gateway, &properties, with("none")).await;
            assert!(detail(&reply).contains("apis.allow_unsigned"), "{reply:?}");
            assert_eq!(told, ["unsigned_refused"]);

            let (reply, told) = unsigned(true, gateway, &properties, with("none")).await;
            let bare = if gateway == V5 { reply.body.as_str() } else { reply.body.strip_prefix("Bearer ").unwrap() };
            assert!(bare.starts_with("eyJhbGciOiJub25lIn0.") && bare.ends_with('.'), "{bare}");
            assert_eq!(
                (token(&reply)[0].clone(), token(&reply)[1]["iss"].clone()),
                (json!({"alg": "none"}), json!("me"))
            );
            assert_eq!(told, ["unsigned"]);

            for allowed in [false, true] {
                let (reply, _) = unsigned(allowed, gateway, &properties, with("$(v)")).await;
                assert!(!detail(&reply).is_empty() && !reply.body.contains("eyJ"), "{reply:?}");
            }
        }
    }
    let steps = json!([
        generate(&json!({"jws-alg": "none"})),
        validate(&json!({"jws-jwk": "key"})),
        answer("$(decoded.claims)"),
    ]);
    let (reply, _) = unsigned(true, V5, &properties, steps).await;
    assert!(reply.body.starts_with("RuntimeError||"), "{reply:?}");
}

/// AC-31, AC-54 (part): a variable may name what the property itself may, and nothing else, although the key would do.
#[tokio::test]
async fn a_variable_names_legal_algorithms_alone() {
    let ed = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let ask = async |property: &str, name: &str, key: &str| {
        let mut block = json!({"jws-jwk": "key"});
        block[property] = "$(v)".into();
        let steps = json!([generate(&block), answer("$(generated.jwt)")]);
        answered(json!({"key": key, "v": name}), steps).await
    };
    assert_eq!(token(&ask("jws-alg", "HS512", OCT).await)[0]["alg"], "HS512");
    assert_eq!(token(&ask("x-chancery-jws-alg", "EdDSA", ed).await)[0]["alg"], "EdDSA");
    for (property, name, key) in [
        ("jws-alg", "EdDSA", ed),
        ("jws-alg", "none", OCT),
        ("jws-alg", "hs256", OCT),
        ("x-chancery-jws-alg", "HS256", OCT),
    ] {
        let reply = ask(property, name, key).await;
        assert!(detail(&reply).contains("is none of "), "{property} {name}: {reply:?}");
    }
}

/// AC-24: claims come of a header in any case, a member of the body, a property, a way into an object, and the client's id.
#[tokio::test]
async fn claims_come_from_everywhere() {
    let steps = json!([
        {"set-variable": {"actions": [{"set": "my-claims", "value": {"deep": [{"sub": "by path"}]}}]}},
        generate(&json!({
            "iss-claim": "request.headers.X-Issuer", "sub-claim": "my-claims.deep[0].sub", "jws-jwk": "key", "jws-alg": "HS256",
            "aud-claim": "request.body.who,of.property,client.app.id,request.headers['x-ISSUER']",
        })),
        answer("$(generated.jwt)"),
    ]);
    let properties = json!({"key": OCT, "of.property": "property"});
    let chancery = serving(&catching(definition(API_GATEWAY, &properties, &steps))).await;
    let body = r#"{"who":"body"}"#;
    let request = format!(
        "POST /t?client_id=app HTTP/1.1\r\nHost: l\r\nx-issuer: by header\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let [_, claims] = token(&chancery.running.ask(request).await);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("by header"), &json!("by path")));
    assert_eq!(claims["aud"], json!(["body", "property", "app", "by header"]));
}

/// AC-14, AC-21: what is not set is left out with one warning each, and what the policy sets is never taken from private
/// claims, with a warning.
#[tokio::test]
async fn what_is_left_out_is_told() {
    let claims = json!({"sub-claim": "un.sub", "aud-claim": "un.aud", "private-claims": "un.private", "jws-jwk": "key", "jws-alg": "HS256"});
    let document = |claims: &Value, private: Value| {
        let properties = json!({"key": OCT, "iss": "me", "private": private});
        definition(V5, &properties, &json!([generate(claims), answer("$(generated.jwt)")]))
    };
    for empty in [json!({}), json!({"sub-claim": "iss.empty"})] {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(empty.as_object().unwrap().clone());
        let mut chancery = serving(&document(&claims, json!(""))).await;
        let [_, made] = token(&chancery.get("/t").await);
        assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["iss", "exp", "iat"]);
        let log = chancery.log();
        for told in ["sub-claim", "aud-claim", "no claims are given"] {
            assert_eq!(log.matches(told).count(), 1, "{told}: {log}");
        }
    }
    let mut claims = claims;
    claims["private-claims"] = "private".into();
    let mut chancery = serving(&document(&claims, json!(r#"{"iss":"evil","exp":1,"role":"r","nbf":5}"#))).await;
    let [_, made] = token(&chancery.get("/t").await);
    assert_eq!((&made["iss"], &made["role"], &made["nbf"]), (&json!("me"), &json!("r"), &json!(5)));
    assert_eq!(made["exp"].as_i64().unwrap() - made["iat"].as_i64().unwrap(), 60);
    let log = chancery.log();
    assert!(log.contains("`iss` is left out") && log.contains("`exp` is left out"), "{log}");
    assert!(!log.contains("evil"), "{log}");
}

/// AC-23: private claims that are no object fail, with the line and the column.
#[tokio::test]
async fn private_claims_are_an_object() {
    for (private, place) in [
        ("{\"a\":\n  x}", "line 2, column 3"),
        ("[1]", "line 1, column 1"),
        ("{\"a\":1,\"a\":2}", "line 1"),
        ("5", "line 1, column 1"),
    ] {
        let claims = json!({"private-claims": "private", "jws-jwk": "key", "jws-alg": "HS256"});
        let reply = answered(json!({"key": OCT, "private": private}), json!([generate(&claims)])).await;
        assert!(detail(&reply).contains(place), "{private}: {reply:?}");
    }
}

/// AC-27: a custom `kid` as a text and as the name of a variable beats the JWK's; v5 tells, and writes none.
#[tokio::test]
async fn a_custom_kid_beats_that_of_the_key() {
    for (gateway, custom, expected) in [
        (API_GATEWAY, "a text", json!({"kid": "a text", "alg": "HS256"})),
        (API_GATEWAY, "of.variable", json!({"kid": "from a variable", "alg": "HS256"})),
        (V5, "a text", json!({"alg": "HS256"})),
    ] {
        let steps = json!([
            {"set-variable": {"actions": [{"set": "of.variable", "value": "from a variable"}]}},
            generate(&json!({"jws-jwk": "key", "jws-alg": "HS256", "custom-kid-value-jws": custom})),
            answer("$(generated.jwt)"),
        ]);
        let document = definition(gateway, &json!({"key": OCT, "iss": "me"}), &steps).to_string();
        let chancery = Chancery::with(Options::default());
        let report = chancery.deploy_as("api", &document).await.unwrap();
        assert_eq!(report.diagnostics.iter().any(|told| told.code == "kid_ignored"), gateway == V5);
        assert_eq!(token(&chancery.get("/t").await)[0], expected);
    }
}

/// AC-10, AC-60, AC-63, AC-68: a failure stands in the log as an error, caught or not, with the policy's place and title, the
/// operation and the id that the reply has too; steps of one title differ there; no key, token or claim value is told to anybody.
#[tokio::test]
async fn a_failure_is_told_to_the_log_alone_and_without_secrets() {
    let canaries = ["canary-claim", "canary-private", &OCT[27..60]];
    let steps = json!([
        {"set-variable": {"actions": [{"set": "sub", "value": "canary-claim"}, {"set": "private", "value": "{\"p\":\"canary-private\"}"}]}},
        generate(&json!({"title": "token", "sub-claim": "sub", "private-claims": "private", "jws-jwk": "key", "jws-alg": "HS256"})),
        generate(&json!({"title": "token", "sub-claim": "sub", "private-claims": "private", "jws-jwk": "key", "jws-alg": "$(request.headers.x-alg)"})),
        answer("done"),
    ]);
    let plain = definition(API_GATEWAY, &json!({"key": OCT, "iss": "me"}), &steps);
    for (document, is_caught) in [(plain.clone(), false), (catching(plain), true)] {
        let mut chancery = serving(&document).await;
        assert_eq!(chancery.running.ask("GET /t HTTP/1.1\r\nHost: l\r\nX-Alg: HS256\r\n\r\n").await.body, "done");
        let first = chancery.get("/t").await;
        let second = chancery.running.ask("GET /t HTTP/1.1\r\nHost: l\r\nX-Alg: RS256\r\n\r\n").await;
        if !is_caught {
            let told = r#"{"httpCode":"500","httpMessage":"Invalid-JWT-Generate","moreInformation":"The token could not be created."}"#;
            assert_eq!((first.body.as_str(), second.body.as_str()), (told, told));
        }
        let log = chancery.log();
        let errors: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let errors: Vec<&Value> = errors.iter().filter(|line| line["level"] == "error").collect();
        assert_eq!(errors.len(), 2, "{log}");
        for (error, reply) in errors.iter().zip([&first, &second]) {
            assert_eq!(error["node"], "/x-ibm-configuration/assembly/execute/2/jwt-generate");
            assert_eq!((&error["node_name"], &error["tab"]), (&json!("token"), &json!("Orders")));
            assert_eq!((&error["method"], &error["path"]), (&json!("GET"), &json!("/t")));
            let id = error["request_id"].as_str().unwrap();
            assert_eq!(reply.header("x-global-transaction-id"), Some(id));
        }
        for canary in canaries {
            assert!(!log.contains(canary), "{canary} in {log}");
        }
        assert!(!log.contains("eyJ"), "{log}");
    }
    let first_fails = json!([generate(&json!({"title": "token", "jws-jwk": "none", "jws-alg": "HS256"}))]);
    let mut chancery = serving(&definition(API_GATEWAY, &json!({"iss": "me"}), &first_fails)).await;
    chancery.get("/t").await;
    assert!(chancery.log().contains("/x-ibm-configuration/assembly/execute/0/jwt-generate"));
}

/// AC-64: empty lists catch nothing, the first clause that fits is taken, and an early `default` takes what comes behind it.
#[tokio::test]
async fn the_first_clause_that_fits_is_taken() {
    let throw = json!([{"throw": {"name": "Mine", "message": "m"}}]);
    let clause = |names: &[&str], body: &str| json!({"errors": names, "execute": [answer(body)]});
    let default = json!({"default": [answer("default")]});
    for (catch, expected) in [
        (json!([]), None),
        (json!([clause(&[], "nothing")]), None),
        (json!([clause(&[], "nothing"), clause(&["Mine"], "mine"), clause(&["Mine"], "second")]), Some("mine")),
        (json!([clause(&["Other"], "other"), default.clone(), clause(&["Mine"], "late")]), Some("default")),
        (json!([clause(&["Other"], "other")]), None),
    ] {
        let mut document = definition(API_GATEWAY, &json!({}), &throw);
        document["x-ibm-configuration"]["assembly"]["catch"] = catch.clone();
        let reply = serving(&document).await.get("/t").await;
        match expected {
            Some(expected) => assert_eq!((reply.status, reply.body.as_str()), (200, expected), "{catch}"),
            None => assert_eq!(reply.status, 500, "{catch}"),
        }
    }
}

/// AC-69, AC-70, AC-73: what was made here is accepted with and without its scheme, its claims as an object; a set gives its
/// key by `kid`; a token that is late, forged or meant for others fails and says why.
#[tokio::test]
async fn tokens_made_here_are_accepted_and_others_are_not() {
    let set =
        json!({"keys": [serde_json::from_str::<Value>(OTHER).unwrap(), serde_json::from_str::<Value>(OCT).unwrap()]});
    let made = |also: &[Value], checks: Value| {
        let mut steps = vec![
            json!({"set-variable": {"actions": [{"set": "aud", "value": "one,two"}]}}),
            generate(&json!({"aud-claim": "aud", "jws-jwk": "key", "jws-alg": "HS256"})),
        ];
        steps.extend(also.iter().cloned());
        steps.extend([validate(&checks), answer("$(decoded.claims.iss) $(decoded.claims.aud[1])")]);
        Value::from(steps)
    };
    let properties = json!({"key": OCT, "set": set, "other": OTHER});
    let ask = async |steps: Value| answered(properties.clone(), steps).await.body;
    let bare = json!({"gatewayscript": {"source": "context.set('generated.jwt', context.get('generated.jwt').replace('Bearer ', ''))"}});
    for (also, checks) in [
        (vec![], json!({"jws-jwk": "key"})),
        (vec![bare.clone()], json!({"jws-jwk": "key"})),
        (vec![], json!({"jws-jwk": "set"})),
        (vec![], json!({"jws-jwk": "key", "iss-claim": "m.", "aud-claim": "^two$"})),
        (vec![], json!({"jws-jwk": "key", "iss-claim": "", "aud-claim": ""})),
    ] {
        assert_eq!(ask(made(&also, checks.clone())).await, "me two", "{checks}");
    }
    let late = json!({"gatewayscript": {"source": "context.set('generated.jwt', '%')".replace('%', LATE)}});
    let forged = json!({"gatewayscript": {"source": "var t = context.get('generated.jwt').split('.'); t[1] = t[0].slice(7); context.set('generated.jwt', t.join('.'))"}});
    for (also, checks, why) in [
        (vec![late], json!({"jws-jwk": "key"}), "exp"),
        (vec![forged], json!({"jws-jwk": "key"}), "signature"),
        (vec![], json!({"jws-jwk": "other"}), "signature"),
        (vec![], json!({"jws-jwk": "key", "iss-claim": "m"}), "iss"),
        (vec![], json!({"jws-jwk": "key", "aud-claim": "tw"}), "aud"),
    ] {
        let body = ask(made(&also, checks.clone())).await;
        let reason = body.split('|').nth(2).unwrap_or_default();
        assert!(body.starts_with("RuntimeError|") && reason.to_lowercase().contains(why), "{checks}: {body}");
    }
}

/// A token signed with [`OCT`] that was valid in 2001 alone.
const LATE: &str = "eyJraWQiOiJLIiwiYWxnIjoiSFMyNTYifQ.eyJpc3MiOiJtZSIsImV4cCI6MTAwMDAwMDAwMH0.iOYYr5pRg9hMCsdmp-2zrxZMYElnB23dZkEBpPm0Bzo";

/// AC-84: the catalog that was chosen overrides properties, the command line overrides both, `encoded` is base64, and the
/// catalog's host is what was set.
#[tokio::test]
async fn properties_resolve_by_catalog() {
    let mut document = definition(
        V5,
        &json!({"a": "own a", "b": "own b", "c": "own c", "e": "ZW5jb2RlZA=="}),
        &json!([answer("$(a)|$(b)|$(c)|$(api.properties.c)|$(e)|$(catalog.host)|$(api.catalog.name)"),]),
    );
    document["x-ibm-configuration"]["properties"]["e"]["encoded"] = json!(true);
    document["x-ibm-configuration"]["catalogs"] =
        json!({"prod": {"properties": {"b": "prod b", "c": "prod c"}}, "sandbox": {"properties": {"b": "sandbox b"}}});
    let ask = async |apis: ApiSettings| {
        let chancery = Chancery::with(Options { apis, ..Options::default() });
        chancery.deploy_as("api", &document.to_string()).await.unwrap();
        chancery.get("/t").await.body
    };
    let usual = ask(ApiSettings { host: "h:1".to_owned(), ..ApiSettings::default() }).await;
    assert_eq!(usual, "own a|sandbox b|own c|own c|encoded|h:1|sandbox");
    let set = [("c".to_owned(), "set c".to_owned())].into();
    let prod = ask(ApiSettings { catalog: "prod".to_owned(), properties: set, ..ApiSettings::default() }).await;
    assert_eq!(prod, "own a|prod b|set c|set c|encoded|localhost|prod");
}

/// AC-06: a block with every property of the vendor, JWKs and crypto objects side by side, loads as it stands.
#[tokio::test]
async fn a_block_with_every_property_loads() {
    let all = json!({
        "title": "t", "description": "d", "version": "2.1.0", "jwt": "generated.jwt", "jti-claim": true,
        "iss-claim": "iss.claim", "sub-claim": "sub.claim", "aud-claim": "aud.claim", "exp-claim": 3600,
        "private-claims": "private.claims", "jws-jwk": "jws.jwk", "jws-alg": "HS256", "jws-crypto": "jwsCryptoObjectName",
        "jwe-enc": "A128CBC-HS256", "jwe-jwk": "jwe.jwk", "jwe-alg": "A128KW", "jwe-crypto": "jweCryptoObjectName",
        "custom-kid-value-jws": "a", "custom-kid-value-jwe": "b",
    });
    let document = definition(API_GATEWAY, &json!({}), &json!([{"jwt-generate": all}])).to_string();
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy_as("api", &document).await.unwrap();
    let told: Vec<&str> = report.diagnostics.iter().map(|told| told.code).collect();
    assert_eq!(told, ["crypto_unbound", "crypto_unbound"]);
}
