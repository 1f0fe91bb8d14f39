//! Runs of orchestration flows: how each failure is told, how long a run may go on, what front ends see, debug runs, and the
//! examples that take tokens in.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::time::Instant;

use house::Reply;
use house::chancery::{Chancery, Options, caller};
use jose::jwa::{EcCurve, SignatureAlgorithm};
use jose::{KeyKind, PrivateJwk};
use serde_json::{Value, json};
use server::rings::{NewRingSpec, RingSigner, Timing};
use signer::RandomPool;

const PASSWORD: &str = "a shared secret of at least thirty-two octets";

fn document(id: &str, category: &str, nodes: &Value) -> Value {
    let mut document = json!({"format": "chancery.orchestration/1", "id": id, "category": category, "nodes": nodes});
    if category == "API" {
        document["trigger"] =
            json!({"type": "api", "method": "POST", "path": format!("/{id}"), "authentication": "none"});
    }
    document
}

/// A flow that makes a token by this configuration, and answers with `{{jwt}}`, or with `flow.error` and 422.
fn maker(category: &str, config: &Value) -> Value {
    document(
        "f",
        category,
        &json!([
            {"id": "s", "type": "start", "exits": {"Next": "g"}},
            {"id": "g", "type": "jwt-generator", "name": "G", "config": config, "exits": {"True": "e", "Failure": "x"}},
            {"id": "e", "type": "end-success", "config": {"body": {"json": "{{jwt}}"}}},
            {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}},
        ]),
    )
}

/// A configuration that signs, with these further members.
fn signing(more: Value) -> Value {
    let mut config =
        json!({"claims": {"sub": "alice"}, "signature": {"symmetric": {"kid": "k", "password": PASSWORD}}});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

async fn post(chancery: &Chancery, path: &str, headers: &str, body: &Value) -> Reply {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}");
    chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await
}

fn ring(name: &str) -> NewRingSpec {
    NewRingSpec {
        tenant: "public".to_owned(),
        name: name.to_owned(),
        algorithm: SignatureAlgorithm::by_name("ES256").unwrap(),
        kid_prefix: "",
        timing: Timing::Rotating(keyring::Span::from_secs(604_800)),
        signer: RingSigner::Software,
        is_strict: false,
    }
}

fn ec() -> String {
    let mut text = Vec::new();
    PrivateJwk::generate(KeyKind::Ec(EcCurve::P256), &mut RandomPool::new()).unwrap().write_private(&mut text);
    String::from_utf8(text).unwrap()
}

/// JG-42: each code of section 5 is reached by Failure within the time of a reply, with its message, its node and its field.
#[tokio::test]
async fn every_code_is_reached() {
    let of_body = "{{flow.request.body.v}}";
    let row = |key: &str, kind: &str| json!({"claims": {"sub": "alice", "custom": [{"key": key, "value": of_body, "type": kind}]}});
    let rsa = json!({"signature": {"type": "asymmetric", "asymmetric": {"privateKey": of_body}}});
    let of_ring = json!({"signature": {"type": "asymmetric", "asymmetric": {"keyType": "EC", "keyRef": "empty"}}});
    let custom = "claims/custom[0]/value";
    for (more, v, code, field, message) in [
        (
            json!({"claims": {"sub": of_body}}),
            Value::Null,
            "variable.missing",
            "claims/sub",
            "claims/sub: variable \"flow.request.body.v\" is not set",
        ),
        (row("n", "Number"), json!("abc"), "claim.type", custom, "claim \"n\": cannot convert String to Number"),
        (row("jti", "String"), json!(""), "claim.value", custom, "claim \"jti\": a text that is not empty is needed"),
        (json!({"ttl": of_body}), json!(0), "ttl.invalid", "ttl", "JWT TTL: whole seconds from 1 to 31622400 needed"),
        (json!({"signature": {}}), Value::Null, "key.missing", "signature", "signature: no key"),
        (rsa.clone(), json!("-----BEGIN nothing"), "key.invalid", "signature", "signature: "),
        (rsa, json!(ec()), "key.mismatch", "signature", "signature: "),
        (
            json!({"signature": {"symmetric": {"password": of_body}}}),
            json!("short"),
            "key.length",
            "signature",
            "signature: HS256 needs 32 octets, the secret has 5",
        ),
        (of_ring, Value::Null, "key.unavailable", "signature", "signature: key is not available"),
        (
            row("n", "String"),
            json!("x".repeat(70_000)),
            "token.too_large",
            "save",
            "token is larger than 65536 characters",
        ),
    ] {
        let chancery = Chancery::with(Options::default());
        chancery.rings.declare(&[ring("empty")], &caller().by()).unwrap();
        chancery.deploy_as("f", &maker("API", &signing(more)).to_string()).await.unwrap();
        let asked = Instant::now();
        let reply = post(&chancery, "/f", "", &json!({"v": v})).await;
        assert!(asked.elapsed().as_secs() < 5, "{code}");
        let error: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(
            (reply.status, &error["code"], &error["node"], &error["field"]),
            (422, &json!(code), &json!("g"), &json!(field)),
            "{error}"
        );
        let told = error["message"].as_str().unwrap();
        assert!(told.starts_with(&format!("JWT - Generator \"G\": {message}")), "{told}");
        assert!(v.as_str().is_none_or(|v| v.is_empty() || !told.contains(v)), "{told}");
    }
}

/// A message passes a thousand nodes and no more, however its flow is wired.
#[tokio::test]
async fn a_loop_ends_after_a_thousand_steps() {
    let script = |most: u32| {
        format!(
            "callback({{ output: (variables.script || 0) < {most} ? 'Again' : 'Enough', data: (variables.script || 0) + 1 }})"
        )
    };
    let flow = |most: u32| {
        document(
            "f",
            "API",
            &json!([
                {"id": "s", "type": "start", "exits": {"Next": "n"}},
                {"id": "n", "type": "script", "name": "N", "config": {"script": script(most), "outputs": ["Again", "Enough"]}, "exits": {"Again": "n", "Enough": "e", "Failure": "e"}},
                {"id": "e", "type": "end-success", "config": {"body": {"json": "{{script}}"}}},
            ]),
        )
    };
    let chancery = Chancery::with(Options { reply_timeout: std::time::Duration::from_secs(20), ..Options::default() });
    chancery.deploy_as("f", &flow(997).to_string()).await.unwrap();
    let reply = post(&chancery, "/f", "", &json!({})).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "998"));
    chancery.deploy_as("f", &flow(998).to_string()).await.unwrap();
    let reply = post(&chancery, "/f", "", &json!({})).await;
    let error: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &error["code"]), (500, &json!("flow.endless")), "{error}");
    assert!(error["error"].as_str().unwrap().ends_with("the flow takes more than 1000 steps"), "{error}");
}

/// Secrets are kept by the id of a flow, so no two documents may have the same.
#[tokio::test]
async fn an_id_has_one_owner() {
    let chancery = Chancery::with(Options::default());
    let flow = maker("API", &signing(json!({})));
    chancery.deploy_as("one", &flow.to_string()).await.unwrap();
    let mut other = flow.clone();
    other["trigger"]["path"] = json!("/other");
    let refused = chancery.deploy_as("two", &other.to_string()).await.unwrap_err().to_string();
    assert!(refused.contains("flow_id_taken") && refused.contains("`one`"), "{refused}");
    chancery.deploy_as("one", &other.to_string()).await.unwrap();
    other["id"] = json!("g");
    other["trigger"]["path"] = json!("/third");
    chancery.deploy_as("two", &other.to_string()).await.unwrap();
}

/// A document brings a Library flow along that calls itself over another one: it is refused, and so is what would be too large.
#[tokio::test]
async fn library_flows_end() {
    let call = |id: &str, to: &str| {
        json!({"id": id, "category": "Library", "nodes": [
        {"id": "s", "type": "start", "exits": {"Next": "l"}},
        {"id": "l", "type": "library-flow", "config": {"flow": to}, "exits": {"Success": "e", "Failure": "e"}},
        {"id": "e", "type": "end-success"}]})
    };
    let mut flow = call("f", "a");
    flow["category"] = json!("Custom");
    flow["format"] = json!("chancery.orchestration/1");
    flow["libraries"] = json!([call("a", "b"), call("b", "a")]);
    let refused = async |flow: &Value| {
        Chancery::with(Options::default()).deploy_as("f", &flow.to_string()).await.unwrap_err().to_string()
    };
    assert!(refused(&flow).await.contains("library_recursive"));
    let many = |id: &str, to: &str| {
        let calls = (0..20).map(|at| json!({"id": format!("l{at}"), "type": "library-flow", "config": {"flow": to}, "exits": {"Success": format!("l{}", at + 1), "Failure": "e"}}));
        let mut nodes = vec![
            json!({"id": "s", "type": "start", "exits": {"Next": "l0"}}),
            json!({"id": "e", "type": "end-success"}),
            json!({"id": "l20", "type": "end-success"}),
        ];
        nodes.extend(calls);
        json!({"id": id, "category": "Library", "nodes": nodes})
    };
    flow["libraries"] = json!([many("a", "b"), many("b", "c"), many("c", "d"), call("d", "d")]);
    flow["libraries"][3]["nodes"][1] = json!({"id": "l", "type": "end-success"});
    assert!(refused(&flow).await.contains("flow_too_large"));
}

fn map(value: &Value) -> plan::Map {
    let octets = value.to_string();
    let read = plan::read_json(octets.as_bytes(), jose::json::Limits::REQUEST, plan::JsonRules::Exact).unwrap();
    read.as_map().unwrap().clone()
}

fn shown(value: &plan::Value) -> Value {
    let mut text = Vec::new();
    plan::write_json(&mut text, value).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// JG-41: off, no front-end node sees the variable; on, exactly the chosen attributes.
#[tokio::test]
async fn front_ends_see_what_they_may() {
    let chancery = Chancery::with(Options::default());
    for (frontend, expected) in [(false, json!({})), (true, json!({"jwt": {"sub": "alice", "token_type": "Bearer"}}))] {
        let save = json!({"attributes": ["sub", "token_type"], "frontend": frontend});
        chancery.deploy_as("f", &maker("Authentication", &signing(json!({"save": save}))).to_string()).await.unwrap();
        let (reply, left) = chancery.deployments.debug("f", &map(&json!({"user": {"id": "u"}}))).await.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(shown(&left.frontend), expected);
        let variables = shown(&left.variables);
        assert_eq!((&variables["jwt"]["sub"], &variables["user"]["id"]), (&json!("alice"), &json!("u")));
        assert!(variables.as_object().unwrap().keys().all(|name| !name.starts_with('.')), "{variables}");
    }
}

/// A variable that cannot be set leads to Failure, and nothing of its node is saved.
#[tokio::test]
async fn what_cannot_be_set_leads_to_failure() {
    let rows = json!([{"key": "a", "value": "1"}, {"key": "n", "value": "{{flow.request.body.n}}", "type": "Number"}]);
    let flow = document(
        "f",
        "API",
        &json!([
        {"id": "s", "type": "start", "exits": {"Next": "v"}},
        {"id": "v", "type": "set-variable", "name": "V", "config": {"rows": rows}, "exits": {"Success": "e", "Failure": "c"}},
        {"id": "c", "type": "condition", "config": {"rows": [{"left": "{{data}}", "operator": "exists", "exit": "Saved"}]}, "exits": {"Saved": "e", "Otherwise": "x"}},
        {"id": "e", "type": "end-success", "config": {"body": {"json": "{{data}}"}}},
        {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}}]),
    );
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("f", &flow.to_string()).await.unwrap();
    let ask = async |n: Value| {
        serde_json::from_str::<Value>(&post(&chancery, "/f", "", &json!({"n": n})).await.body).unwrap()
    };
    assert_eq!(ask(json!("7")).await, json!({"a": "1", "n": 7}));
    let message = "Set variable \"V\": claim \"n\": cannot convert String to Number";
    assert_eq!(
        ask(json!("x")).await,
        json!({"message": message, "code": "claim.type", "node": "v", "field": "rows[1]/value"})
    );
    assert_eq!(ask(Value::Null).await["code"], "variable.missing");
}

/// What each kind of request brings along stands in the variables of its flow.
#[tokio::test]
async fn a_request_becomes_variables() {
    let mut flow = document(
        "f",
        "API",
        &json!([
        {"id": "s", "type": "start", "exits": {"Next": "e"}},
        {"id": "e", "type": "end-success", "config": {"body": {"json": "{{flow.request}}"}}}]),
    );
    flow["trigger"]["path"] = json!("/users/{id}/tokens");
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("f", &flow.to_string()).await.unwrap();
    let ask = async |target: &str, headers: &str, body: &str| {
        let head = format!("POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}");
        let reply = chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
        (reply.status, serde_json::from_str::<Value>(&reply.body).unwrap_or_default())
    };
    let headers =
        "Cookie: a=1; b=\"x y\"\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let (status, told) = ask("/users/a%20b/tokens?q=1%262&q=3", headers, "n=%C3%A9+f&m").await;
    assert_eq!(
        (status, &told["method"], &told["path"]),
        (200, &json!("POST"), &json!("/users/a%20b/tokens")),
        "{told}"
    );
    assert_eq!((&told["params"], &told["query"]), (&json!({"id": "a b"}), &json!({"q": "1&2"})));
    assert_eq!((&told["cookies"], &told["headers"]["x-two"]), (&json!({"a": "1", "b": "x y"}), &json!("1, 2")));
    assert_eq!(told["body"], json!({"n": "é f", "m": ""}));
    assert_eq!(ask("/users/1/tokens", "Content-Type: text/plain\r\n", "hi").await.1["body"], "hi");
    assert_eq!(ask("/users/1/tokens", "Content-Type: application/json\r\n", "[1]").await.1["body"], json!([1]));
    assert_eq!(ask("/users/1/tokens", "Content-Type: application/json\r\n", "{").await.0, 400);
    assert_eq!(ask("/users/1/tokens", "Content-Type: text/plain\r\n", &"x".repeat(256 << 10)).await.0, 200);
    assert_eq!(ask("/users/1/tokens", "Content-Type: text/plain\r\n", &"x".repeat((256 << 10) + 1)).await.0, 413);
    assert_eq!(ask("/users/1", "", "").await.0, 404);
}

/// A flow of each of the eight categories runs in debug, with the variables that its author gives it; nobody else calls those
/// that are no API.
#[tokio::test]
async fn each_category_runs_in_debug() {
    for category in ["API", "Authentication", "Admin", "Self Service", "Consent", "Library", "Custom", "User Defined"] {
        let chancery = Chancery::with(Options::default());
        let config = signing(json!({"claims": {"sub": "{{user.id}}"}, "save": {"attributes": ["claims"]}}));
        chancery.deploy_as("f", &maker(category, &config).to_string()).await.unwrap();
        let (reply, _) = chancery.deployments.debug("f", &map(&json!({"user": {"id": "bob"}}))).await.unwrap();
        let told: Value = serde_json::from_slice(reply.body()).unwrap();
        assert_eq!((reply.status().as_u16(), &told["claims"]["sub"]), (200, &json!("bob")), "{category}: {told}");
        let (reply, left) = chancery.deployments.debug("f", &map(&json!({}))).await.unwrap();
        assert_eq!(reply.status(), 422, "{category}");
        assert_eq!(shown(&left.variables)["flow"]["error"]["code"], "variable.missing");
        let called = post(&chancery, "/f", "", &json!({})).await.status;
        assert_eq!(called, if category == "API" { 422 } else { 404 }, "{category}");
    }
}

/// What calls the examples: a server with their rings and keys, and a token of the ring for a user.
async fn examples() -> (Chancery, String) {
    let chancery = Chancery::with(Options { reply_timeout: std::time::Duration::from_secs(10), ..Options::default() });
    chancery.rings.make(&[ring("es256")], &caller().by()).unwrap();
    for (name, document) in [
        ("issue-token", include_str!("../../../examples/orchestration/issue-token.json")),
        ("verify-token", include_str!("../../../examples/orchestration/verify-token.json")),
        ("consent", include_str!("../../../examples/orchestration/consent.json")),
    ] {
        chancery.deploy_as(name, document).await.unwrap();
        let secret = plan::SecretRef { owner: name.into(), field: "apiKey".into() };
        let step = server::vault::SecretStep::of_text("the key").unwrap();
        chancery.deployments.vault().change_secret(&secret, &step, &caller().by()).unwrap();
    }
    let issued = post(&chancery, "/issue-token", "X-API-Key: the key\r\n", &json!({"user": "alice"})).await;
    let issued: Value = serde_json::from_str(&issued.body).unwrap();
    let token = issued["access_token"].as_str().unwrap().to_owned();
    (chancery, token)
}

/// The example that verifies, called as a client would.
#[tokio::test]
async fn the_verifying_example_answers_its_callers() {
    let (chancery, token) = examples().await;
    let ask = async |token: &str| {
        let reply = post(&chancery, "/verify-token", &format!("Authorization: Bearer {token}\r\n"), &json!({})).await;
        (reply.status, serde_json::from_str::<Value>(&reply.body).unwrap())
    };
    let (status, told) = ask(&token).await;
    assert_eq!((status, &told["active"], &told["sub"]), (200, &json!(true), &json!("alice")), "{told}");
    assert!(told["until"].as_str().unwrap().ends_with('Z'), "{told}");
    assert_eq!(ask("e30.e30.e30").await, (401, json!({"active": false, "error": "token.malformed"})));
    let reply = post(&chancery, "/verify-token", "", &json!({})).await;
    assert_eq!((reply.status, reply.body.contains("variable.missing")), (401, true));
}

/// The example of a consent, called as a client would.
#[tokio::test]
async fn the_consent_example_answers_its_callers() {
    let (chancery, token) = examples().await;
    let ask = async |key: &str, body: Value| {
        let reply = post(&chancery, "/consent", &format!("X-API-Key: {key}\r\n"), &body).await;
        (reply.status, serde_json::from_str::<Value>(&reply.body).unwrap())
    };
    let given = |accepted: bool, scopes: Value| json!({"token": token, "accepted": accepted, "scopes": scopes, "client": "shop"});
    let (status, told) = ask("the key", given(true, json!(["email", "admin", "profile"]))).await;
    assert_eq!((status, &told["scopes"]), (201, &json!(["profile", "email"])), "{told}");
    let receipt = told["receipt"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&jose::base64url::decode(&receipt).unwrap()).unwrap();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("alice"), &json!("shop")));
    assert_eq!(claims["consent"], json!({"scopes": ["profile", "email"], "given": true}));
    assert_eq!(ask("the key", given(false, json!(["email"]))).await, (403, json!({"error": "consent.declined"})));
    assert_eq!(ask("the key", given(true, json!(["admin"]))).await, (403, json!({"error": "consent.declined"})));
    assert_eq!(
        ask("the key", json!({"token": "x", "accepted": true})).await,
        (401, json!({"error": "token.malformed"}))
    );
    assert_eq!(ask("another key", given(true, json!(["email"]))).await.0, 401);
}
