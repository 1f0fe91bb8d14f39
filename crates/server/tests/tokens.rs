//! Issuing and checking tokens in live flows: what each setting of the `jwt` and `jwt-config` nodes leads to.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{CONFIG, Chancery, Options, flow, function, jwt};
use jose::jwa::EcCurve;
use jose::{KeyKind, base64url};
use serde_json::{Value, json};

/// A flow that issues a token of this payload and answers with it.
fn issuing(payload: &str, config: Value) -> String {
    with_config(flow(&[function("n0", payload, json!([["sign"]])), jwt("sign", true, json!([["out"]]))]), config)
}

/// A flow that checks the caller's token: 200 with the claims, or 401.
fn checking(config: Value) -> String {
    let nodes = [
        jwt("n0", false, json!([["good"], ["bad"]])),
        function(
            "good",
            "msg.payload = { claims: msg.tokenvalue, payload: msg.payload };\nreturn msg;",
            json!([["out"]]),
        ),
        function(
            "bad",
            "msg.statusCode = 401;\nmsg.payload = { claims: msg.tokenvalue };\nreturn msg;",
            json!([["out"]]),
        ),
    ];
    with_config(flow(&nodes), config)
}

/// The same flow with these properties of its `jwt-config`; null takes one away.
fn with_config(document: String, config: Value) -> String {
    let mut nodes: Value = serde_json::from_str(&document).unwrap();
    let node = nodes.as_array_mut().unwrap().iter_mut().find(|node| node["id"] == CONFIG).unwrap();
    for (name, value) in config.as_object().unwrap() {
        node[name] = value.clone();
        if value.is_null() {
            node.as_object_mut().unwrap().remove(name);
        }
    }
    nodes.to_string()
}

/// What follows the node of this id: a Catch that answers 418 with what it was told.
fn caught(document: &str) -> String {
    let mut nodes: Value = serde_json::from_str(document).unwrap();
    let all = nodes.as_array_mut().unwrap();
    all.push(json!({"id": "catch", "type": "catch", "z": "tab", "scope": null, "wires": [["tell"]]}));
    let tell = "msg.statusCode = 418;\nmsg.payload = msg.error;\nreturn msg;";
    let mut tell = function("tell", tell, json!([["out"]]));
    tell["z"] = "tab".into();
    all.push(tell);
    nodes.to_string()
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap()
}

/// A token of this header and these claims, keyed by `s3cret`.
fn token(algorithm: &str, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()));
    let key = jose::PrivateJwk::from_secret(b"s3cret", jose::SecretForm::AsIs).unwrap();
    let row = jose::jwa::SignatureAlgorithm::by_name(algorithm).unwrap();
    let switches = jose::jwa::Switches::NONE.with(jose::jwa::Switch::WeakHmac);
    let mut mac = Vec::new();
    jose::SigningKey::new(row, &key, switches).unwrap().sign(input.as_bytes(), &mut mac).unwrap();
    format!("{input}.{}", base64url::encode(&mac))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn good(claims: &str) -> String {
    token("HS256", HEADER, claims)
}

/// NR-05: only `true` and `"true"` generate; everything else validates.
#[tokio::test]
async fn which_mode_a_node_is_in() {
    for (mode, status) in [(json!(true), 200), (json!("true"), 200), (json!(false), 401), (json!("false"), 401)] {
        let mut node = jwt("n0", true, json!([["out"], ["bad"]]));
        node["generatejwt"] = mode.clone();
        let bad = function("bad", "msg.statusCode = 401;\nreturn msg;", json!([["out"]]));
        let chancery = Chancery::serving(&flow(&[node, bad])).await;
        assert_eq!(chancery.get("/x").await.status, status, "{mode}");
    }
}

/// NR-06: any payload goes under `data` as `JSON.stringify` writes it; without a payload there is no `data`.
#[tokio::test]
async fn any_payload_goes_under_data() {
    for (payload, data) in [
        ("msg.payload = \"t\";", json!("t")),
        ("msg.payload = 7;", json!(7)),
        ("msg.payload = null;", json!(null)),
        ("msg.payload = [1, \"a\"];", json!([1, "a"])),
        (
            "msg.payload = { b: 1, 2: undefined, 1: NaN, d: new Date(0) };",
            json!({"1": null, "b": 1, "d": "1970-01-01T00:00:00.000Z"}),
        ),
    ] {
        let chancery = Chancery::serving(&issuing(&format!("{payload}\nreturn msg;"), json!({}))).await;
        let reply = chancery.get("/x").await;
        assert_eq!(reply.status, 200, "{payload}: {}", reply.body);
        assert_eq!(claims(&reply.body).get("data"), Some(&data), "{payload}");
    }
    for payload in ["delete msg.payload;", "msg.payload = undefined;"] {
        let chancery = Chancery::serving(&issuing(&format!("{payload}\nreturn msg;"), json!({}))).await;
        assert_eq!(claims(&chancery.get("/x").await.body).get("data"), None, "{payload}");
    }
}

/// NR-07: `expiresin` is read as `parseInt` does.
#[tokio::test]
async fn the_lifetime_is_what_parse_int_reads() {
    for (expires_in, seconds) in [
        (json!("86400"), 86_400),
        (json!(60), 60),
        (json!("1.9"), 1),
        (json!("1h"), 1),
        (json!("0x10"), 16),
        (json!("-10"), -10),
    ] {
        let chancery = Chancery::serving(&issuing("return msg;", json!({"expiresin": expires_in}))).await;
        let claims = claims(&chancery.get("/x").await.body);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), seconds, "{expires_in}");
    }
}

/// NR-08, NR-12: no lifetime or no algorithm that may be used: told at deploy, each message is a catchable error, and no
/// token leaves.
#[tokio::test]
async fn a_configuration_that_issues_nothing() {
    for (config, told, code) in [
        (json!({"expiresin": ""}), "jwt_expiresin_invalid", "ERR_JWT_EXPIRESIN_INVALID"),
        (json!({"expiresin": "abc"}), "jwt_expiresin_invalid", "ERR_JWT_EXPIRESIN_INVALID"),
        (json!({"algorithm": "none"}), "jwt_algorithm_unsupported", "ERR_JWT_ALGORITHM_UNSUPPORTED"),
        (json!({"algorithm": "HS999"}), "jwt_algorithm_unsupported", "ERR_JWT_ALGORITHM_UNSUPPORTED"),
        (json!({"algorithm": null}), "jwt_algorithm_unsupported", "ERR_JWT_ALGORITHM_UNSUPPORTED"),
    ] {
        let document = issuing("return msg;", config.clone());
        let chancery = Chancery::with(Options::default());
        let report = chancery.deploy(&caught(&document)).await.unwrap();
        chancery.set_secret("s3cret");
        assert!(report.diagnostics.iter().any(|it| it.code == told), "{config}: {:?}", report.diagnostics);
        let reply = chancery.get("/x").await;
        assert_eq!(reply.status, 418, "{config}");
        let error: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(error["code"], code, "{config}");
        chancery.deploy(&document).await.unwrap();
        assert_eq!(chancery.get("/x").await.status, 500, "{config}");
    }
}

/// NR-10, NR-11: a missing or blank secret, issuing or checking, is an error that a Catch can tell from others.
#[tokio::test]
async fn a_missing_secret_can_be_caught() {
    for document in [issuing("return msg;", json!({})), checking(json!({}))] {
        let chancery = Chancery::with(Options::default());
        chancery.deploy(&caught(&document)).await.unwrap();
        for _ in 0..2 {
            let reply = chancery.get_as("/x", "Bearer a.b.c").await;
            assert_eq!(reply.status, 418);
            let error: Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!(error["code"], "ERR_JWT_SECRET_MISSING");
            assert_eq!(error["source"]["type"], "jwt");
            assert!(["sign", "n0"].contains(&error["source"]["id"].as_str().unwrap()));
            chancery.set_secret(" \t");
        }
    }
}

/// NR-13: without a configuration the flow deploys, and each message is an error.
#[tokio::test]
async fn a_node_without_a_configuration() {
    for named in ["", "nobody"] {
        let mut node = jwt("n0", true, json!([["out"]]));
        node["jwtconfig"] = named.into();
        let chancery = Chancery::serving(&flow(std::slice::from_ref(&node))).await;
        assert_eq!(chancery.get("/x").await.status, 500);
        chancery.deploy(&caught(&flow(&[node]))).await.unwrap();
        let reply = chancery.get("/x").await;
        assert!(reply.body.contains("ERR_JWT_CONFIG_MISSING"), "{}", reply.body);
    }
}

/// NR-14: a payload that JSON cannot hold is an error, never a token or a payload.
#[tokio::test]
async fn a_payload_that_cannot_be_written() {
    for payload in ["msg.payload = {}; msg.payload.self = msg.payload;", "msg.payload = { big: 1n };"] {
        let document = issuing(&format!("{payload}\nreturn msg;"), json!({}));
        let chancery = Chancery::serving(&document).await;
        assert_eq!(chancery.get("/x").await.status, 500, "{payload}");
        chancery.deploy(&caught(&document)).await.unwrap();
        let reply = chancery.get("/x").await;
        assert_eq!(reply.status, 418, "{payload}");
        let error: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(error["source"]["id"], "sign", "{payload}: {error}");
    }
}

/// NR-17, NR-20: a token that holds leaves output 1 with all its claims, with or without `exp`, `typ` and `Bearer`.
#[tokio::test]
async fn tokens_that_hold() {
    let chancery = Chancery::serving(&checking(json!({}))).await;
    for (token, bearer) in [
        (good(r#"{"sub":"a","exp":9000000000,"n":1.5}"#), "Bearer "),
        (good(r#"{"sub":"a"}"#), ""),
        (good(r#"{"iat":9000000000}"#), "Bearer "),
        (token("HS256", r#"{"alg":"HS256","typ":"other","kid":"k"}"#, "{}"), "Bearer "),
    ] {
        let reply = chancery.get_as("/x", &format!("{bearer}{token}")).await;
        assert_eq!(reply.status, 200, "{token}");
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((&body["claims"], &body["payload"]), (&claims(&token), &json!({})));
    }
}

/// NR-18, NR-19, NR-21, NR-22, NR-23: what does not hold leaves output 2 with nothing set.
#[tokio::test]
async fn tokens_that_do_not_hold() {
    let chancery = Chancery::serving(&checking(json!({}))).await;
    let fine = good("{}");
    let mut other_key = fine.clone();
    other_key.truncate(fine.len() - 4);
    let unsigned = format!("{}.e30.", base64url::encode(br#"{"alg":"none"}"#));
    for authorization in [
        format!("Bearer {other_key}AAAA"),
        format!("Bearer {}", good(r#"{"exp":1}"#)),
        format!("Bearer {}", good(r#"{"exp":null}"#)),
        format!("Bearer {}", good(r#"{"exp":"9000000000"}"#)),
        format!("Bearer {}", good(r#"{"nbf":9000000000}"#)),
        "Bearer garbage".to_owned(),
        format!("bearer {fine}"),
        format!("Bearer Bearer {fine}"),
        format!("Bearer {}", token("HS512", r#"{"alg":"HS512"}"#, "{}")),
        format!("Bearer {unsigned}"),
        format!("Bearer {}", token("HS256", r#"{"alg":"HS256","crit":["x"],"x":1}"#, "{}")),
    ] {
        let reply = chancery.get_as("/x", &authorization).await;
        assert_eq!((reply.status, reply.body.as_str()), (401, "{}"), "{authorization}");
    }
    assert_eq!(chancery.get("/x").await.status, 401, "no header");
    assert_eq!(chancery.get(&format!("/x?access_token={fine}")).await.status, 401, "in the query");
}

/// NR-21, NR-22: the switch admits the HMAC family, and never a token without a signature.
#[tokio::test]
async fn the_switch_for_any_hmac() {
    let chancery = Chancery::with(Options { jwt_any_hmac: true, ..Options::default() });
    chancery.deploy(&checking(json!({}))).await.unwrap();
    chancery.set_secret("s3cret");
    for algorithm in ["HS256", "HS384", "HS512"] {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let reply = chancery.get_as("/x", &token(algorithm, &header, "{}")).await;
        assert_eq!(reply.status, 200, "{algorithm}");
    }
    let unsigned = format!("{}.e30.", base64url::encode(br#"{"alg":"none"}"#));
    assert_eq!(chancery.get_as("/x", &unsigned).await.status, 401);
    chancery.set_secret("");
    assert_eq!(chancery.get_as("/x", &unsigned).await.status, 500);
}

/// NR-24: a message that came from no request has no token to check.
#[tokio::test]
async fn a_message_without_a_request() {
    let forget = function("n0", "delete msg.req;\nreturn msg;", json!([["check"]]));
    let document = flow(&[forget, jwt("check", false, json!([["out"], ["out"]]))]);
    let chancery = Chancery::serving(&caught(&document)).await;
    let reply = chancery.get("/x").await;
    assert_eq!(reply.status, 418);
    assert!(reply.body.contains("ERR_JWT_NO_REQUEST"), "{}", reply.body);
}

/// NR-25: what the flow issues it accepts, and not with one character changed.
#[tokio::test]
async fn an_issued_token_is_accepted_unless_it_was_changed() {
    let issuer = Chancery::serving(&issuing("return msg;", json!({}))).await;
    let token = issuer.get("/x").await.body;
    let checker = Chancery::serving(&checking(json!({}))).await;
    assert_eq!(checker.get_as("/x", &token).await.status, 200);
    for at in (0..token.len()).step_by(token.len() / 16) {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(checker.get_as("/x", &changed).await.status, 401, "character {at}");
    }
}

/// NR-15: a PEM private key signs with its algorithm, and its public half checks; slow signatures do not hold others up.
#[tokio::test]
async fn a_private_key_in_pem() {
    let mut random = signer::RandomPool::new();
    for (algorithm, kind) in [("ES256", KeyKind::Ec(EcCurve::P256)), ("ES384", KeyKind::Ec(EcCurve::P384))] {
        let key = jose::PrivateJwk::generate(kind, &mut random).unwrap();
        let pem = key.to_pem(jose::KeyForm::Pkcs8).unwrap();
        let issuer = Chancery::serving(&issuing("return msg;", json!({"algorithm": algorithm}))).await;
        issuer.set_secret(&pem);
        let (one, two) = tokio::join!(issuer.get("/x"), issuer.get("/x"));
        let checker = Chancery::serving(&checking(json!({"algorithm": algorithm}))).await;
        checker.set_secret(&pem);
        for reply in [one, two] {
            assert_eq!(reply.status, 200, "{algorithm}");
            assert_eq!(checker.get_as("/x", &reply.body).await.status, 200, "{algorithm}");
        }
    }
}

/// NR-16: the text of a public key is no HMAC secret.
#[tokio::test]
async fn a_public_key_is_no_hmac_secret() {
    let mut random = signer::RandomPool::new();
    let key = jose::PrivateJwk::generate(KeyKind::Ec(EcCurve::P256), &mut random).unwrap();
    let pem = key.public().unwrap().to_pem(jose::KeyForm::Spki).unwrap();
    let chancery = Chancery::serving(&caught(&issuing("return msg;", json!({})))).await;
    chancery.set_secret(&pem);
    let reply = chancery.get("/x").await;
    assert!(reply.status == 418 && reply.body.contains("ERR_JWT_KEY_UNUSABLE"), "{}", reply.body);
}
