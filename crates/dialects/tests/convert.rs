//! A wish written in another dialect and back: the same wish; and what would make another token is refused.

#![allow(clippy::disallowed_methods, reason = "intents are files")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dialects::intent::{Converted, Target, Unconvertible, convert};
use dialects::node_red::LowerSettings;
use dialects::{Kind, Settings, api_connect, orchestration};
use serde_json::{Value, json};

const FILES: [(&str, Target); 4] = [
    ("flow.json", Target::Document(Kind::Orchestration)),
    ("flows.json", Target::Document(Kind::NodeRed)),
    ("api.json", Target::Document(Kind::ApiConnect)),
    ("call.json", Target::Request),
];

fn converted(document: &str, to: Target) -> Result<Converted, Unconvertible> {
    let (environment, properties) = (BTreeMap::new(), BTreeMap::new());
    let settings = Settings {
        node_red: LowerSettings { environment: &environment, jwt_any_hmac: false },
        api_connect: api_connect::LowerSettings {
            catalog: "sandbox",
            host: "localhost",
            properties: &properties,
            crypto: &[],
            allow_unsigned: false,
            strict: false,
        },
        orchestration: orchestration::LowerSettings { host: "localhost" },
    };
    convert("wish", document.as_bytes(), to, &settings)
}

fn text(document: &str, to: Target) -> String {
    String::from_utf8(converted(document, to).unwrap_or_else(|why| panic!("{why:?}\n{document}")).octets).unwrap()
}

/// What is lost, by its first words.
fn lost(document: &str, to: Target) -> Vec<String> {
    converted(document, to).unwrap().lost.into_iter().map(|change| change.what).collect()
}

/// Why it is not converted, one line.
fn refused(document: &Value, to: Target) -> String {
    match converted(&document.to_string(), to) {
        Ok(written) => panic!("{}", String::from_utf8(written.octets).unwrap()),
        Err(Unconvertible::Changed(changes)) => changes.iter().map(|change| format!("{change} ")).collect(),
        Err(Unconvertible::Refused(told)) => format!("{told:?}"),
        Err(Unconvertible::Request(why)) => why,
    }
}

/// The documents of an intent, keys left out.
fn intent(name: &str) -> Vec<(Target, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/confluence").join(name);
    let read = |(file, target): (&str, Target)| {
        let text = fs::read_to_string(folder.join(file)).ok()?;
        let text = text.replace(r#""privateKey": "$KEY""#, r#""privateKey": """#);
        Some((
            target,
            text.replace("$KEY", "-----BEGIN PRIVATE KEY-----").replace("$KEK", "thirty-two octets of a secret!!!"),
        ))
    };
    FILES.into_iter().filter_map(read).collect()
}

/// The configuration of the generator of a document that has one.
fn configuration(document: &str) -> Option<Value> {
    let document: Value = serde_json::from_str(document).unwrap();
    let nodes = document.as_array().or_else(|| document["nodes"].as_array())?;
    Some(nodes.iter().find(|node| node["type"] == "jwt-generator")?["config"].clone())
}

/// Issue text, "convert": there and back again gives the document that the first dialect would write itself, to the octet; where a
/// request cannot carry path and answer, the token's own part of it.
#[test]
fn there_and_back_is_the_same_wish() {
    let (mut trips, mut refusals) = (0, 0);
    for name in ["plain", "audience", "typed", "nested", "own-kid", "rotating"] {
        let documents = intent(name);
        for (own, document) in &documents {
            let canonical = text(document, *own);
            assert_eq!(text(&canonical, *own), canonical, "{name} {own:?}");
            for (_, there) in FILES {
                // A core encrypts nothing and names its keys itself.
                let is_unsaid = name == "nested" || (name == "own-kid" && *own != Target::Request);
                if is_unsaid && there == Target::Request {
                    assert!(matches!(converted(document, there), Err(Unconvertible::Changed(_))), "{name} {there:?}");
                    refusals += 1;
                    continue;
                }
                let back = text(&text(document, there), *own);
                if there == Target::Request && *own != Target::Request {
                    // A core signs with the ring of its app, which the document names from then on.
                    let canonical = canonical.replace("\"keyRef\": \"wish\"", "\"keyRef\": \"d-rs256\"");
                    assert_eq!(configuration(&back), configuration(&canonical), "{name} {own:?} {there:?}");
                } else {
                    assert_eq!(back, canonical, "{name} {own:?} by {there:?}");
                }
                trips += 1;
            }
        }
    }
    assert_eq!((trips, refusals), (86, 6));
}

/// Everything that changes is told, and nothing else.
#[test]
fn what_is_lost_is_listed() {
    let flow = flow(json!({"iss": "i", "sub": "s"}), json!({}));
    let always = ["failure", "key"];
    assert_eq!(lost(&flow.to_string(), FILES[1].1), [&["signature", "failure", "portability", "key"][..]].concat());
    let to_api = ["order of claims", "signature", "signature", "signature"];
    assert_eq!(lost(&flow.to_string(), FILES[2].1), [&to_api[..], &always].concat());
    let call = ["order of claims", "signature", "signature", "call", "callers", "answer"];
    assert_eq!(lost(&flow.to_string(), Target::Request), [&call[..], &always].concat());
}

/// A flow that signs with ES256 and answers with JSON.
fn flow(claims: Value, more: Value) -> Value {
    let mut generator = json!({"ttl": 60, "claims": claims,
        "signature": {"type": "asymmetric", "asymmetric": {"keyType": "EC", "ecAlgorithm": "ES256"}}});
    generator.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"format": "chancery.orchestration/1", "id": "wish", "category": "API",
        "trigger": {"type": "api", "method": "POST", "path": "/a/{id}/b", "authentication": "none"}, "nodes": [
        {"id": "s", "type": "start", "exits": {"Next": "g"}},
        {"id": "g", "type": "jwt-generator", "config": generator, "exits": {"True": "e", "Failure": "e"}},
        {"id": "e", "type": "end-success", "config": {"status": 201, "headers": [{"name": "x-a", "value": "b"}],
            "body": {"json": "{\"a b\": [1, {\"ü\": {{jwt.token}}}], \"c\": \"T-{{jwt.token}}\", \"d\": null}"}}}]})
}

/// Texts that one dialect or another would read as something of its own stay texts, and what a caller sends stays that.
#[test]
fn odd_texts_and_what_is_sent_survive() {
    let odd = json!({"iss": "https://é.test/😀\"\\", "sub": "{{flow.request.params.id}}", "custom": [
        {"key": "aud", "value": "[\"only one\"]", "type": "Array"}, {"key": "nbf", "value": "1", "type": "Number"},
        {"key": "a \"b\"\u{7}/~", "value": "\\{{flow.id}} \\\\{{x}} ${HOME} <%= x %> \u{2028}", "type": "String"},
        {"key": "o", "value": "{\"{{n}}\": \"\\\\{{x}}\", \"f\": 1.5}", "type": "Object"}]});
    for (more, alike) in [
        (json!({}), "plain"),
        (
            json!({"encryption": {"type": "asymmetric", "contentEncryption": "A128CBC-HS256",
            "asymmetric": {"keyType": "RSA", "rsaAlgorithm": "RSA-OAEP"}}}),
            "encrypted",
        ),
        (
            json!({"signature": {"type": "symmetric", "allowWeakHmac": true,
            "symmetric": {"algorithm": "HS512", "kid": "k \\{{1}} é"}}}),
            "symmetric",
        ),
    ] {
        let own = FILES[0].1;
        let canonical = text(&flow(odd.clone(), more).to_string(), own);
        for (_, there) in &FILES[1..3] {
            assert_eq!(text(&text(&canonical, *there), own), canonical, "{alike} {there:?}");
        }
    }
}

/// What would make another token is refused, each with its reason, and so is what opens a door.
#[test]
fn another_token_is_refused() {
    let usual = || json!({"iss": "i", "sub": "s"});
    let with = |claims: Value| flow(claims, json!({}));
    let row = |key: &str, value: &str, kind: &str| {
        with(json!({"iss": "i", "sub": "s", "custom": [{"key": key, "value": value, "type": kind}]}))
    };
    let (api, node_red, request) = (FILES[2].1, FILES[1].1, Target::Request);
    let mut keyed = with(usual());
    keyed["trigger"]["authentication"] = json!("api-key");
    let scripted = json!([{"id": "t", "type": "tab"},
        {"id": "i", "type": "http in", "z": "t", "url": "/x", "method": "get", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "func": "while (x) {} return msg;", "wires": [["g"]]},
        {"id": "g", "type": "jwt-generator", "z": "t", "config": {"claims": {"sub": "s", "iss": "i"}}, "wires": [["r"], []]},
        {"id": "r", "type": "http response", "z": "t", "wires": []}]);
    let endless = with(json!({"iss": "i", "sub": "s", "include": {"exp": false}}));
    let random = json!({"swagger": "2.0", "info": {"title": "t", "version": "1", "x-ibm-name": "t"}, "basePath": "/", "paths": {"/x": {"get": {}}},
        "x-ibm-configuration": {"gateway": "datapower-api-gateway", "properties": {"i": {"value": "x"}, "key": {"value": "chancery:sealed"}},
            "assembly": {"execute": [{"jwt-generate": {"version": "2.0.0", "jwt": "message.body", "jti-claim": true, "iss-claim": "i", "exp-claim": 60, "jws-jwk": "key", "jws-alg": "PS256"}}]}}});
    let number = r#"{"algorithm":"RS256","jwksDomain":"d","payload":{"sub":5},"validity":1}"#;
    for (document, to, why) in [
        (row("c", "{{flow.request.body.c}}", "Number"), api, "claim: `c` is another for each request"),
        (row("c", "{{flow.request.body.c}}", "Number"), request, "claim: `c` is another for each token"),
        (with(json!({"iss": "i"})), api, "claim: `sub` comes from a variable"),
        (with(json!({"sub": "s", "include": {"iss": false}})), api, "claim: `iss` stands in every token there."),
        (
            with(json!({"iss": "i", "sub": "s", "include": {"iat": false}})),
            request,
            "claim: `iat` stands in every token there.",
        ),
        (endless, api, "lifetime: Every token ends there."),
        (
            flow(usual(), json!({"ttl": "{{flow.request.body.ttl}}"})),
            node_red,
            "lifetime: It is not the same for every token.",
        ),
        (row("aud", "[\"a,b\"]", "Array"), api, "claim: `aud` would be another value."),
        (row("aud", "[\"a\"]", "Array"), request, "claim: `aud` would be another value."),
        (row("n", "123456789012345678901234567890", "Number"), api, "claim: `n` would be another value."),
        (keyed.clone(), node_red, "callers: They need a key"),
        (keyed, api, "callers: They need a key"),
        (scripted, FILES[0].1, "flow: `f` (function) does what has no words in other dialects."),
        (random, FILES[0].1, "claim: `jti` is made anew for each token"),
        (
            with(json!({"iss": "$(catalog.host)", "sub": "s"})),
            api,
            "claim: The constant of `iss-claim` cannot be written.",
        ),
        (serde_json::from_str(number).unwrap(), FILES[0].1, "claim: `sub` is no text there."),
        (json!([{"id": "t", "type": "tab"}]), api, "document: It mints nowhere."),
        (json!({}), api, "document: It is of no kind that is known here."),
    ] {
        let told = refused(&document, to);
        assert!(told.starts_with(why), "{why}\n{told}");
    }
}

/// Deep, long and doubled documents come to an end, whatever they are.
#[test]
fn hostile_documents_come_to_an_end() {
    let before = std::time::Instant::now();
    let deep = format!("[{}]", "[".repeat(50_000));
    let long = flow(
        json!({"iss": "i".repeat(60_000), "sub": "s", "custom": (0..200).map(|n| json!({"key": format!("k{n}"), "value": "v".repeat(60_000)})).collect::<Vec<_>>()}),
        json!({}),
    );
    let change = |id: String, next: String| {
        json!({"id": id, "type": "change", "z": "t", "wires": [[next]],
        "rules": [{"t": "set", "p": "payload.a", "pt": "msg", "to": "payload", "tot": "msg"}]})
    };
    let mut circle = vec![
        json!({"id": "t", "type": "tab"}),
        json!({"id": "i", "type": "http in", "z": "t", "url": "/x", "method": "get", "wires": [["c0"]]}),
        json!({"id": "g", "type": "jwt-generator", "z": "t", "config": {}, "wires": [["c0"], []]}),
    ];
    circle.extend(
        (0..2_000).map(|n| change(format!("c{n}"), if n == 1_999 { "g".to_owned() } else { format!("c{}", n + 1) })),
    );
    for document in [deep, long.to_string(), Value::from(circle).to_string(), "\u{feff}{}".to_owned(), String::new()] {
        for (_, to) in FILES {
            let _ = converted(&document, to);
        }
    }
    assert!(before.elapsed().as_secs() < 60, "{:?}", before.elapsed());
}
