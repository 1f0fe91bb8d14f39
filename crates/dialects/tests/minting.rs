//! What is told of the places that mint: one reader for four dialects, and nothing of any secret.

#![allow(clippy::disallowed_methods, reason = "documents are files")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dialects::minting::{self, Absent, ClaimSource, Destination, KeyOrigin, Kid, Life, Minting, Symbol};
use dialects::node_red::LowerSettings;
use dialects::{Lowered, Settings, api_connect, orchestration};
use plan::Value;
use serde_json::{Value as Json, json};

/// A key that must not be told of; its octets are 36.
const CANARY: &str = r#"{"kty":"oct","k":"Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"}"#;

fn confluence(intent: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/confluence").join(intent).join(name)
}

fn lowered(document: &str) -> Lowered {
    let (environment, properties) = (BTreeMap::new(), BTreeMap::new());
    let settings = Settings {
        node_red: LowerSettings { environment: &environment, jwt_any_hmac: false },
        api_connect: api_connect::LowerSettings {
            catalog: "sandbox",
            host: "localhost",
            properties: &properties,
            crypto: &["bound".to_owned()],
            allow_unsigned: true,
            strict: false,
        },
        orchestration: orchestration::LowerSettings { host: "localhost" },
    };
    let kind = dialects::detect(document.as_bytes()).unwrap();
    dialects::lower(kind, "d", document.as_bytes(), &settings).unwrap_or_else(|told| panic!("{told:?}"))
}

fn mintings(document: &Json) -> Vec<Minting> {
    minting::mintings(&lowered(&document.to_string()))
}

/// The one place that mints.
fn one(document: &Json) -> Minting {
    let mut all = mintings(document);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A tab of Node-RED with these nodes.
fn tab(nodes: Vec<Json>) -> Json {
    let mut all = vec![json!({"id": "t", "type": "tab"})];
    all.extend(nodes.into_iter().map(|mut node| {
        node["z"] = json!("t");
        node
    }));
    all.into()
}

fn node(id: &str, kind: &str, more: Json, wires: &[&str]) -> Json {
    let mut node = json!({"id": id, "type": kind, "wires": [wires]});
    node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    node
}

fn http_in() -> Json {
    node("in", "http in", json!({"url": "/t", "method": "post"}), &["a"])
}

fn generator(id: &str, config: Json, wires: &[&str]) -> Json {
    json!({"id": id, "type": "jwt-generator", "config": config, "wires": [wires, []]})
}

fn signing(more: Json) -> Json {
    let mut config = json!({"signature": {"type": "symmetric", "symmetric": {"algorithm": "HS256"}}});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

fn definition(execute: Json, properties: Json) -> Json {
    json!({
        "swagger": "2.0", "info": {"title": "T", "version": "1", "x-ibm-name": "t"}, "basePath": "/",
        "paths": {"/t": {"get": {}}},
        "x-ibm-configuration": {
            "gateway": "datapower-api-gateway", "phase": "realized", "properties": properties,
            "assembly": {"execute": execute},
        },
    })
}

/// The source of a claim.
fn source<'m>(minting: &'m Minting, name: &str) -> &'m Symbol {
    let claims = &minting.token.as_ref().unwrap().claims;
    let claim = claims.iter().find(|claim| claim.name.as_deref() == Some(name));
    match &claim.unwrap_or_else(|| panic!("{name}: {claims:?}")).from {
        ClaimSource::Symbol(symbol) => symbol,
        ClaimSource::IssuedAt | ClaimSource::Expires => panic!("{name} is a time"),
    }
}

fn absent(minting: &Minting, name: &str) -> Absent {
    let claims = &minting.token.as_ref().unwrap().claims;
    claims.iter().find(|claim| claim.name.as_deref() == Some(name)).unwrap().absent
}

fn codes(minting: &Minting) -> Vec<&'static str> {
    minting.warnings.iter().map(|warning| warning.code).collect()
}

/// Issue text, "explain": one wish written four times is told as the same claims, algorithm and lifetime, whoever wrote it.
#[test]
fn one_wish_is_told_alike_in_four_dialects() {
    let mut told = 0;
    for intent in ["plain", "audience", "typed", "nested", "own-kid", "rotating"] {
        let expected: Json = serde_json::from_slice(&fs::read(confluence(intent, "claims.json")).unwrap()).unwrap();
        for name in ["flow.json", "flows.json", "api.json", "call.json"] {
            let Ok(text) = fs::read_to_string(confluence(intent, name)) else { continue };
            let key = "-----BEGIN PRIVATE KEY-----";
            // No key is needed: where a flow holds one, it is one that the message would bring.
            let text = text.replace("\"privateKey\": \"$KEY\"", "\"kid\": \"k\"").replace("$KEY", key);
            let text = text.replace("\"kid\": \"my-kid\",\n            \"kid\": \"k\"", "\"kid\": \"my-kid\"");
            let text = text.replace("$KEK", "thirty-two octets of a secret!!!");
            let minting = match minting::of_request(text.as_bytes()) {
                Some(read) => read.unwrap(),
                None => minting::mintings(&lowered(&text)).remove(0),
            };
            let token = minting.token.as_ref().unwrap();
            let claims = token.claims.iter().filter_map(|claim| match &claim.from {
                ClaimSource::Symbol(symbol) => Some((claim.name.clone().unwrap(), symbol.value().unwrap())),
                ClaimSource::IssuedAt | ClaimSource::Expires => None,
            });
            let mut written = Vec::new();
            plan::write_json(&mut written, &Value::map(claims)).unwrap();
            assert_eq!(serde_json::from_slice::<Json>(&written).unwrap(), expected, "{intent} {name}");
            assert_eq!(token.lifetime, Life::Seconds(600), "{intent} {name}");
            let signature = token.signature.as_ref().unwrap();
            assert_eq!(signature.algorithm.value(), Some(Value::text("RS256")), "{intent} {name}");
            assert_eq!(token.encryption.is_some(), intent == "nested", "{intent} {name}");
            assert_eq!(minting.deliveries.len(), 1, "{intent} {name}: {:?}", minting.deliveries);
            assert_eq!(minting.deliveries[0].to, Destination::Body, "{intent} {name}");
            if intent == "own-kid" && name != "call.json" {
                assert_eq!(signature.kid, Kid::Named(Symbol::Known(Value::text("my-kid"))), "{name}");
            }
            told += 1;
        }
    }
    assert_eq!(told, 23);
}

/// Constants, what the caller sends, the clock and random texts are told apart, and what happens without a value.
#[test]
fn sources_are_told_apart() {
    let claims = json!({"include": {"iss": false}, "sub": "{{payload.user}}", "custom": [
        {"key": "n", "value": "{{payload.n}}", "type": "Number"}, {"key": "c", "value": "x"},
        {"key": "t", "value": "a-{{req.headers.host}}"}]});
    let ends = vec![
        http_in(),
        generator("a", signing(json!({"claims": claims})), &["r"]),
        node("r", "http response", json!({}), &[]),
    ];
    let minting = one(&tab(ends));
    assert_eq!(minting.callers, ["POST /t"]);
    let user = plan::Path::keys(["payload", "user"]);
    let Symbol::Typed(minting::ClaimType::Text, inner) = source(&minting, "sub") else { panic!("{minting:?}") };
    assert_eq!(**inner, Symbol::Required(Symbol::Sent(user).into()));
    assert!(matches!(source(&minting, "n"), Symbol::Typed(minting::ClaimType::Number, _)));
    assert_eq!(source(&minting, "c").value(), Some(Value::text("x")));
    assert!(matches!(source(&minting, "t"), Symbol::Joined(parts) if parts.len() == 2));
    let told = ["sub", "n", "c", "t"].map(|name| absent(&minting, name));
    assert_eq!(told, [Absent::Refused, Absent::Refused, Absent::Never, Absent::Refused]);
    // The token itself goes nowhere: the answer is what the request brought.
    assert_eq!(minting.deliveries, []);

    let steps = json!([
        {"set-variable": {"actions": [{"set": "w.iss", "value": "https://$(request.headers.host)/x"}]}},
        {"jwt-generate": {"version": "2.0.0", "jwt": "message.headers.x-token", "iss-claim": "w.iss", "sub-claim": "nobody.sets",
            "aud-claim": "request.parameters.aud", "jti-claim": true, "exp-claim": 60, "jws-crypto": "bound", "jws-alg": "$(request.headers.alg)"}},
    ]);
    let minting = one(&definition(steps, json!({})));
    assert!(matches!(source(&minting, "iss"), Symbol::Joined(_)), "{minting:?}");
    assert_eq!(absent(&minting, "iss"), Absent::Never);
    assert_eq!((source(&minting, "jti"), absent(&minting, "jti")), (&Symbol::Fresh, Absent::Never));
    assert!(source(&minting, "sub").is_nothing(), "{minting:?}");
    assert_eq!(absent(&minting, "aud"), Absent::LeftOut);
    let signature = minting.token.as_ref().unwrap().signature.as_ref().unwrap();
    assert_eq!(signature.key.from, KeyOrigin::Bound("crypto/bound".into()));
    let delivery = &minting.deliveries[0];
    assert_eq!(
        (delivery.to, delivery.way.as_str(), delivery.behind.as_str()),
        (Destination::Header, ".x-token", "Bearer ")
    );
    let expected = ["algorithm_sent", "claim_sent", "claim_sent", "no_explicit_type"];
    assert_eq!(codes(&minting), expected);
}

/// An algorithm that a step has put into a variable is told as if it stood in the property.
#[test]
fn an_algorithm_is_told_through_its_variable() {
    let steps = json!([
        {"set-variable": {"actions": [{"set": "alg", "value": "HS384"}]}},
        {"jwt-generate": {"version": "2.0.0", "iss-claim": "request.path", "exp-claim": 60, "jws-jwk": "key", "jws-alg": "$(alg)"}},
    ]);
    let api = one(&definition(steps, json!({"key": {"value": CANARY}})));
    let signature = api.token.as_ref().unwrap().signature.as_ref().unwrap();
    assert_eq!(signature.algorithm.value(), Some(Value::text("HS384")));
}

/// JG-43 (part): a key is told by its type and size and by whose it is; nothing of it stands in what is told.
#[test]
fn a_key_is_told_by_its_size_alone() {
    let step = json!([{"jwt-generate": {"version": "2.0.0", "iss-claim": "request.path", "exp-claim": 60,
        "jws-jwk": "key", "jws-alg": "HS256"}}]);
    let api = one(&definition(step, json!({"key": {"value": CANARY}})));
    let flow = json!({"format": "chancery.orchestration/1", "id": "f", "category": "API",
        "trigger": {"type": "api", "method": "GET", "path": "/f", "authentication": "none"}, "nodes": [
        {"id": "s", "type": "start", "exits": {"Next": "g"}},
        {"id": "g", "type": "jwt-generator", "config": {"claims": {"sub": "a"}, "signature": {"type": "symmetric",
            "symmetric": {"jwk": CANARY}}}, "exits": {"True": "e", "Failure": "e"}},
        {"id": "e", "type": "end-success", "config": {"body": {"json": "{\"t\": {{jwt.token}}}"},
            "headers": [{"name": "x-t", "value": "T {{jwt.token}}"}], "cookies": [{"name": "c", "value": "{{jwt.token}}"}]}}]});
    let flow = one(&flow);
    for minting in [&api, &flow] {
        let key = &minting.token.as_ref().unwrap().signature.as_ref().unwrap().key;
        assert_eq!(key.size.as_deref(), Some("an `oct` key of exactly 36 octets"));
        assert!(matches!(key.from, KeyOrigin::Secret(_)));
        let told = format!("{minting:?}");
        assert!(!told.contains("Y2FuYXJ5") && !told.contains("canary"), "{told}");
    }
    let ways: Vec<_> = flow.deliveries.iter().map(|to| (to.to.name(), to.way.as_str(), to.behind.as_str())).collect();
    assert_eq!(ways, [("body", ".t", ""), ("header", ".x-t", "T "), ("cookie", "[0]", "")]);
}

/// What a function may make of a message is told as such, and a function that can sign is a place of its own.
#[test]
fn a_script_is_told_as_what_it_is() {
    let function = |libs: Json, wires: &[&str]| {
        node("a", "function", json!({"func": "while (x) {} return msg;", "libs": libs}), wires)
    };
    let log = node(
        "d",
        "debug",
        json!({"active": true, "complete": "jwt", "targetType": "msg", "console": true, "tosidebar": false}),
        &[],
    );
    let config = signing(json!({"claims": {"iss": "i", "sub": "{{payload}}"}}));
    let minting = one(&tab(vec![http_in(), function(json!([]), &["g"]), generator("g", config, &["d"]), log]));
    let mut scripts = 0;
    source(&minting, "sub")
        .each_part(&mut |part| scripts += usize::from(matches!(part, Symbol::Made(by, _) if by.contains("script"))));
    assert_eq!(scripts, 1, "{minting:?}");
    let to: Vec<_> = minting.deliveries.iter().map(|delivery| delivery.to).collect();
    assert_eq!(to, [Destination::Log], "{minting:?}");

    let libs = json!([{"var": "jwt", "module": "jsonwebtoken"}]);
    let minting = one(&tab(vec![http_in(), function(libs, &["r"]), node("r", "http response", json!({}), &[])]));
    assert_eq!((minting.token.is_none(), codes(&minting)), (true, vec!["script_mints"]));
}

/// RFC 8725: each warning where its cause is, and none where it is not.
#[test]
fn warnings_name_their_sections() {
    let endless = signing(json!({"claims": {"include": {"exp": false, "iss": false, "sub": false}}}));
    let minting = one(&tab(vec![http_in(), generator("a", endless, &[])]));
    assert_eq!(codes(&minting), ["no_issuer", "no_audience", "no_expiry", "no_explicit_type"]);
    let custom = json!([{"key": "aud", "value": "x"}]);
    let kid = json!({"claims": {"iss": "i", "sub": "s", "custom": custom}, "signature": {"type": "symmetric", "allowWeakHmac": true,
        "symmetric": {"kid": "{{payload.kid}}"}}});
    assert_eq!(
        codes(&one(&tab(vec![http_in(), generator("a", kid, &[])]))),
        ["secret_weak", "kid_sent", "no_explicit_type"]
    );
    let only = json!({"claims": {"iss": "i", "sub": "s", "custom": custom}, "signature": {"type": "none"},
        "encryption": {"type": "symmetric"}});
    assert_eq!(codes(&one(&tab(vec![http_in(), generator("a", only, &[])]))), ["not_signed", "no_explicit_type"]);
    let old = json!([{"jwt-generate": {"version": "2.0.0", "iss-claim": "iss", "aud-claim": "iss", "exp-claim": 60,
        "jwe-crypto": "bound", "jwe-alg": "RSA1_5", "jwe-enc": "A256GCM", "jws-jwk": "request.body"}}]);
    assert_eq!(
        codes(&one(&definition(old, json!({"iss": {"value": "i"}})))),
        ["key_sent", "rsa_1_5", "no_explicit_type"]
    );
    let unsigned = json!([{"jwt-generate": {"version": "2.0.0", "iss-claim": "iss", "aud-claim": "iss", "exp-claim": 60, "jws-alg": "none"}}]);
    assert_eq!(codes(&one(&definition(unsigned, json!({"iss": {"value": "i"}})))), ["unsigned", "no_explicit_type"]);
    let ring = |id: &str| {
        let asymmetric = json!({"keyType": "EC", "keyRef": "es256"});
        generator(
            id,
            json!({"claims": {"iss": "i", "sub": "s", "custom": custom}, "signature": {"type": "asymmetric", "asymmetric": asymmetric}}),
            &["b"],
        )
    };
    let two = mintings(&tab(vec![http_in(), ring("a"), ring("b")]));
    assert!(two.iter().all(|minting| codes(minting) == ["no_explicit_type", "key_shared"]), "{two:?}");
    assert!(
        two.iter()
            .flat_map(|minting| &minting.warnings)
            .all(|warning| warning.section.starts_with("RFC 8725 section 3."))
    );
}

/// A flow that leads in circles, doubles what it holds at each step or has ten thousand nodes is told of all the same.
#[test]
fn hostile_flows_come_to_an_end() {
    let change = |id: &str, to: &str, wires: &[&str]| {
        let double = json!([{"t": "set", "p": "payload.a", "pt": "msg", "to": "payload", "tot": "msg"},
            {"t": "set", "p": "payload.b", "pt": "msg", "to": to, "tot": "msg"}]);
        node(id, "change", json!({"rules": double}), wires)
    };
    let circle = vec![
        http_in(),
        change("a", "payload", &["b"]),
        change("b", "payload.a", &["a", "g"]),
        generator("g", signing(json!({"claims": {"sub": "{{payload.a.b}}"}})), &["a"]),
    ];
    assert_eq!(mintings(&tab(circle)).len(), 1);
    let name = |n: usize| if n == 0 { "a".to_owned() } else { format!("c{n}") };
    let mut chain: Vec<Json> = (0..10_000).map(|n| change(&name(n), "payload", &[&name(n + 1), "g"])).collect();
    chain.extend([
        http_in(),
        generator("g", signing(json!({"claims": {"sub": "{{payload.b}}"}})), &["r"]),
        node("r", "http response", json!({}), &[]),
    ]);
    let before = std::time::Instant::now();
    assert_eq!(mintings(&tab(chain)).len(), 1);
    assert!(before.elapsed().as_secs() < 60, "{:?}", before.elapsed());
}
