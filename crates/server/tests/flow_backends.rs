//! What flows ask of others: a server outside, and a script in a sandbox.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::net::SocketAddr;
use std::time::Duration;

use house::chancery::{Chancery, Options};
use serde_json::{Value, json};
use server::effects::fetch::AllowList;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PASSWORD: &str = "a shared secret of at least thirty-two octets";

/// A server that answers every request with this text, and shows what it was asked in the header `X-Asked`.
async fn backend(status: &str, kind: &str, body: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (status, kind, body) = (status.to_owned(), kind.to_owned(), body.to_owned());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = vec![0; 65_536];
            let length = stream.read(&mut asked).await.unwrap();
            let asked = String::from_utf8_lossy(&asked[..length]).replace("\r\n", "|");
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nX-Asked: {asked}\r\n");
            let reply = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    address
}

/// A flow of these nodes behind its start, the first of which is `n`; its ends answer with what this JSON says, and with
/// `flow.error` and 422.
fn flow(nodes: &[Value], told: &str) -> Value {
    let mut all = vec![json!({"id": "s", "type": "start", "exits": {"Next": "n"}})];
    all.extend(nodes.iter().cloned());
    all.push(json!({"id": "e", "type": "end-success", "config": {"body": {"json": told}}}));
    all.push(json!({"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}}));
    json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API", "nodes": all,
        "trigger": {"type": "api", "method": "POST", "path": "/f", "authentication": "none"},
    })
}

fn request(config: Value) -> Value {
    json!({"id": "n", "type": "http-request", "name": "N", "config": config, "exits": {"Success": "e", "Failure": "x"}})
}

fn script(source: &str, config: &Value) -> Value {
    let mut all = json!({"script": source, "outputs": ["Yes", "No"]});
    for (name, value) in config.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    json!({"id": "n", "type": "script", "name": "N", "config": all, "exits": {"Yes": "e", "No": "x", "Failure": "x"}})
}

async fn deployed(document: &Value, allowed: &[SocketAddr]) -> Chancery {
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    let fetch_allow = AllowList::parse(&allowed).unwrap();
    let chancery =
        Chancery::with(Options { fetch_allow, reply_timeout: Duration::from_secs(20), ..Options::default() });
    chancery.deploy_as("f", &document.to_string()).await.unwrap();
    chancery
}

async fn post(chancery: &Chancery, body: &Value) -> Value {
    let body = body.to_string();
    let head = "POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let reply = chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{} {}", reply.status, reply.body))
}

async fn refused(document: &Value) -> String {
    let deployed = Chancery::with(Options::default()).deploy_as("f", &document.to_string()).await;
    deployed.err().map(|error| error.to_string()).unwrap_or_default()
}

/// What a flow of this one node answers.
async fn asked(node: Value, allowed: &[SocketAddr], body: &Value) -> Value {
    post(&deployed(&flow(&[node], "{{http}}"), allowed).await, body).await
}

/// What a flow of one script answers.
async fn run(source: &str, body: &Value) -> Value {
    post(&deployed(&flow(&[script(source, &json!({}))], "{{script}}"), &[]).await, body).await
}

#[tokio::test]
async fn a_request_carries_what_the_message_says_and_brings_the_answer_back() {
    let back = backend("201 Created", "application/json", r#"{"risk": 7}"#).await;
    let config = json!({
        "method": "POST", "url": format!("http://{back}/users/{{{{flow.request.body.id}}}}?a=b"),
        "headers": [{"name": "X-Kind", "value": "k-{{flow.request.body.id}}"}],
        "data": {"json": r#"{"id": {{flow.request.body.id}}}"#},
        "save": {"attributes": ["body", "status", "headers", "url"]},
    });
    let saved = asked(request(config), &[back], &json!({"id": 12})).await;
    assert_eq!((&saved["status"], &saved["body"]), (&json!(201), &json!({"risk": 7})), "{saved}");
    assert_eq!(saved["url"], json!(format!("http://{back}/users/12?a=b")));
    let seen = saved["headers"]["x-asked"].as_str().unwrap();
    assert!(seen.starts_with("POST /users/12?a=b HTTP/1.1|"), "{seen}");
    assert!(seen.contains("x-kind: k-12|") && seen.contains("content-type: application/json|"), "{seen}");
    assert!(seen.ends_with(r#"||{"id":12}"#), "{seen}");
}

#[tokio::test]
async fn only_what_is_chosen_is_saved_and_text_stays_text() {
    let back = backend("200 OK", "text/plain", "hello").await;
    let saved = asked(request(json!({"url": format!("http://{back}/")})), &[back], &json!({})).await;
    assert_eq!(saved, json!({"body": "hello", "status": 200}));
}

/// What front ends may read is what the node says, and what it saved last.
#[tokio::test]
async fn front_ends_read_an_answer_if_they_may() {
    let back = backend("200 OK", "text/plain", "hello").await;
    let node = |id: &str, frontend: bool, to: &str| {
        let config = json!({"url": format!("http://{back}/"), "save": {"attributes": ["body"], "variable": "v", "frontend": frontend}});
        json!({"id": id, "type": "http-request", "config": config, "exits": {"Success": to, "Failure": "x"}})
    };
    let shown = async |nodes: &[Value]| {
        let live = deployed(&flow(nodes, "{{v}}"), &[back]).await;
        let (_, left) = live.deployments.debug("f", &plan::Map::new()).await.unwrap();
        let mut text = Vec::new();
        plan::write_json(&mut text, &left.frontend).unwrap();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(shown(&[node("n", true, "e")]).await, r#"{"v":{"body":"hello"}}"#);
    assert_eq!(shown(&[node("n", false, "e")]).await, "{}");
    assert_eq!(shown(&[node("n", true, "m"), node("m", false, "e")]).await, "{}");
}

/// A failure says what is wrong by a code, and nothing that stands in a variable.
#[tokio::test]
async fn a_request_that_fails_leaves_by_failure() {
    let back = backend("404 Not Found", "text/plain", "nobody").await;
    let by_body = || request(json!({"url": "{{flow.request.body.url}}"}));
    let url = format!("http://{back}/secret-path");
    let error = asked(by_body(), &[back], &json!({"url": url})).await;
    let message = "Backend - HTTP Request \"N\": the server answered 404";
    assert_eq!(error, json!({"message": message, "code": "http.status", "node": "n", "field": "url"}));
    for (url, code) in [
        (json!(url), "http.denied"),
        (json!("http://169.254.169.254/latest/meta-data"), "http.denied"),
        (json!("http://[::ffff:127.0.0.1]/"), "http.denied"),
        (json!("ftp://example.test/secret-path"), "http.url"),
        (json!("secret-path"), "http.url"),
        (json!(null), "variable.missing"),
    ] {
        let error = asked(by_body(), &[], &json!({"url": url})).await;
        assert_eq!(error["code"], code, "{url}: {error}");
        assert!(!error.to_string().contains("secret-path") && !error.to_string().contains("127.0.0.1"), "{error}");
    }
    let bad = request(
        json!({"url": format!("http://{back}/"), "headers": [{"name": "X-A", "value": "{{flow.request.body.v}}"}]}),
    );
    let error = asked(bad, &[back], &json!({"v": "a\r\nX-B: c"})).await;
    assert_eq!(error["code"], "http.header");
}

#[tokio::test]
async fn a_request_that_cannot_be_right_is_refused() {
    for (config, code) in [
        (json!({"url": "example.test"}), "value_illegal"),
        (json!({"url": "http://example.test", "method": "TRACE"}), "value_illegal"),
        (json!({"url": "http://example.test", "skipCertificateValidation": true}), "certificate_unchecked"),
        (json!({"url": "http://example.test", "data": {"json": "{"}}), "value_illegal"),
        (json!({"url": "http://example.test", "proxy": "http://p"}), "member_unknown"),
    ] {
        let told = refused(&flow(&[request(config.clone())], "{}")).await;
        assert!(told.contains(code), "{config}: {told}");
    }
}

#[tokio::test]
async fn a_script_leaves_by_the_exit_that_it_names() {
    let source =
        "const { n } = variables.flow.request.body; callback({ output: 'Yes', data: { twice: n * 2, list: [n] } });";
    assert_eq!(run(source, &json!({"n": 4})).await, json!({"twice": 8, "list": [4]}));
    let waits = "(async () => { const n = await Promise.resolve(3); callback({ output: 'Yes', data: n }); })();";
    assert_eq!(run(waits, &json!({})).await, json!(3));
    let twice = "callback({ output: 'Yes', data: 1 }); callback({ output: 'No', data: 2 });";
    assert_eq!(run(twice, &json!({})).await, json!(1));
    let modules = script(
        "callback({ output: 'Yes', data: require('buffer').Buffer.from('a').toString('hex') })",
        &json!({"modules": ["buffer"], "save": {"variable": "hex"}}),
    );
    assert_eq!(post(&deployed(&flow(&[modules], "{{hex}}"), &[]).await, &json!({})).await, "61");
}

/// Whatever a script does, its message leaves by Failure in time, with a code, and the next one is served.
#[tokio::test]
async fn a_script_that_fails_leaves_by_failure() {
    let source = "const what = variables.flow.request.body.what;
        if (what === 'throw') throw new Error('boom');
        if (what === 'reject') return Promise.reject(new Error('later'));
        if (what === 'silent') return;
        if (what === 'output') callback({ output: 'Maybe' });
        if (what === 'nothing') callback();
        if (what === 'loop') for (;;) {}
        if (what === 'memory') { const all = []; for (;;) all.push(new Array(1e5).fill(what)); }
        if (what === 'require') require('fs');
        if (what === 'eval') return eval('1');
        if (what === 'data') callback({ output: 'Yes', data: () => 1 });
        if (what === 'circular') { const all = []; all.push(all); callback({ output: 'Yes', data: all }); }
        if (what === 'global') { globalThis.left = 1; callback({ output: 'Yes', data: typeof left }); }
        if (what === 'found') callback({ output: 'Yes', data: typeof left });
        if (what === 'change') { variables.flow.request.body.what = 'changed'; callback({ output: 'Yes', data: variables.flow.request.body.what }); }
        if (what === 'hidden') callback({ output: 'Yes', data: Object.keys(variables) });";
    let live = deployed(&flow(&[script(source, &json!({}))], "{{script}}"), &[]).await;
    let asked = async |what: &str| post(&live, &json!({"what": what})).await;
    for (what, code) in [
        ("throw", "script.failed"),
        ("reject", "script.failed"),
        ("silent", "script.silent"),
        ("output", "script.output"),
        ("nothing", "script.output"),
        ("require", "script.failed"),
        ("eval", "script.failed"),
        ("loop", "script.timeout"),
        ("memory", "script.memory"),
    ] {
        let error = asked(what).await;
        assert_eq!(error["code"], code, "{what}: {error}");
        assert_eq!(
            (&error["node"], error["message"].as_str().unwrap().starts_with("Backend - Script \"N\": ")),
            (&json!("n"), true)
        );
    }
    assert_eq!(asked("throw").await["message"], "Backend - Script \"N\": Error: boom");
    assert_eq!(asked("change").await, "change");
    assert_eq!(asked("global").await, "number");
    assert_eq!(asked("found").await, "undefined", "nothing of one call stays for the next");
    assert_eq!(asked("hidden").await, json!(["flow"]));
    assert_eq!(asked("data").await, Value::Null, "data is what JSON can hold");
    assert_eq!(asked("circular").await["code"], "script.data");
}

/// A script sees the variables and nothing that the flow itself works with, which goes on beside it.
#[tokio::test]
async fn a_script_sees_variables_alone() {
    let rows = json!([{"key": "a", "value": "1"}]);
    let set = json!({"id": "n", "type": "set-variable", "config": {"rows": rows, "frontend": true}, "exits": {"Success": "t", "Failure": "x"}});
    let mut names = script("callback({ output: 'Yes', data: Object.keys(variables) })", &json!({}));
    names["id"] = json!("t");
    let live = deployed(&flow(&[set, names], "{{script}}"), &[]).await;
    let (reply, left) = live.deployments.debug("f", &plan::Map::new()).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(reply.body()).unwrap(), json!(["flow", "data"]));
    assert_eq!(left.frontend.as_map().unwrap().len(), 1, "the mark of `data` is still there");
}

#[tokio::test]
async fn redirects_are_followed_if_the_author_says_so() {
    let there = backend("200 OK", "text/plain", "there").await;
    let here = backend(&format!("302 Found\r\nLocation: http://{there}/"), "text/plain", "here").await;
    for (follows, expected) in
        [(false, json!({"body": "here", "status": 302})), (true, json!({"body": "there", "status": 200}))]
    {
        let config = json!({"url": format!("http://{here}/"), "followRedirects": follows});
        assert_eq!(asked(request(config), &[here, there], &json!({})).await, expected);
    }
}

#[tokio::test]
async fn a_script_that_cannot_be_right_is_refused() {
    for (config, code) in [
        (json!({"outputs": []}), "value_illegal"),
        (json!({"outputs": ["Yes", "Yes"]}), "value_illegal"),
        (json!({"outputs": ["Failure"]}), "value_illegal"),
        (json!({"modules": ["fs"]}), "value_illegal"),
        (json!({"script": " "}), "value_illegal"),
    ] {
        let told = refused(&flow(&[script("callback({output: 'Yes'})", &config)], "{}")).await;
        assert!(told.contains(code), "{config}: {told}");
    }
    let told = deployed(&flow(&[script("callback(", &json!({}))], "{}"), &[]).await.deployments.list();
    assert!(told[0].diagnostics.iter().any(|told| told.code == "script_syntax"), "{told:?}");
}

/// JG-50: Condition, Script, HTTP Request and Set variable run in one flow before the node and feed it.
#[tokio::test]
async fn every_node_before_the_generator_feeds_it() {
    let back = backend("200 OK", "application/json", r#"{"groups": ["staff", "admin"]}"#).await;
    let exits = |to: &str| json!({"Success": to, "Failure": "x"});
    let nodes = [
        json!({"id": "n", "type": "condition", "exits": {"Known": "h", "Otherwise": "x2"}, "config": {"rows": [
            {"left": "{{flow.request.body.user}}", "operator": "matches", "right": "^[a-z]+$", "exit": "Known"}]}}),
        json!({"id": "h", "type": "http-request", "config": {"url": format!("http://{back}/groups/{{{{flow.request.body.user}}}}")}, "exits": exits("c")}),
        json!({"id": "c", "type": "script", "exits": {"Staff": "v", "Failure": "x"}, "config": {"outputs": ["Staff"],
            "script": "callback({ output: 'Staff', data: variables.http.body.groups.map((group) => group.toUpperCase()) })"}}),
        json!({"id": "v", "type": "set-variable", "exits": exits("g"), "config": {"rows": [
            {"key": "subject", "value": "user-{{flow.request.body.user}}"}, {"key": "groups", "value": "{{script}}", "type": "Array"}]}}),
        json!({"id": "g", "type": "jwt-generator", "exits": {"True": "e", "Failure": "x"}, "config": {
            "claims": {"sub": "{{data.subject}}", "custom": [{"key": "groups", "value": "{{data.groups}}", "type": "Array"}]},
            "signature": {"symmetric": {"password": PASSWORD}}, "save": {"attributes": ["claims"]}}}),
        json!({"id": "x2", "type": "end-failure", "config": {"status": 400, "body": {"json": "\"who?\""}}}),
    ];
    let live = deployed(&flow(&nodes, "{{jwt.claims}}"), &[back]).await;
    let claims = post(&live, &json!({"user": "alice"})).await;
    assert_eq!((&claims["sub"], &claims["groups"]), (&json!("user-alice"), &json!(["STAFF", "ADMIN"])), "{claims}");
    assert_eq!(post(&live, &json!({"user": "A1"})).await, "who?");
}
