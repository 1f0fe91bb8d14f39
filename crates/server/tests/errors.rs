//! Errors in live flows: who hears of them, what the client is told, and what happens when nobody answers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::time::{Duration, Instant};

use house::chancery::{Chancery, Options, flow, function};
use serde_json::{Value, json};

const ANSWER: &str = "return msg;";

/// A Catch of this scope whose messages go to `tell`.
fn catch(id: &str, scope: Value, wires: Value) -> Value {
    json!({"id": id, "type": "catch", "scope": scope, "wires": wires})
}

/// Answers with `{error, _error}` of the message.
fn tell() -> Value {
    let body = "msg.payload = { error: msg.error, old: msg._error !== undefined };\nreturn msg;";
    function("tell", body, json!([["out"]]))
}

async fn told(body: &str) -> Value {
    let mut first = function("n0", body, json!([["out"]]));
    first["name"] = "N".into();
    let chancery = Chancery::serving(&flow(&[first, catch("c", Value::Null, json!([["tell"]])), tell()])).await;
    let reply = chancery.get("/x").await;
    assert_eq!(reply.status, 200, "{body}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

/// NR-60: a thrown Error reaches the Catch with its class, its source, its count and its stack.
#[tokio::test]
async fn a_thrown_error() {
    let told = told("throw new Error(\"x\");").await;
    let error = &told["error"];
    assert_eq!(error["message"], "Error: x");
    assert_eq!(error["source"], json!({"id": "n0", "type": "function", "name": "N", "count": 1}));
    assert!(error["stack"].as_str().unwrap().contains("Error: x"), "{error}");
    assert_eq!(told["old"], true);
}

/// NR-61: a thrown text or object, and `node.error`, are told in their own ways.
#[tokio::test]
async fn other_errors() {
    for (body, message) in [
        ("throw \"plain\";", "plain"),
        ("throw { a: 1 };", "{\"a\":1}"),
        ("node.error(\"told\", msg);\nreturn null;", "told"),
    ] {
        let told = told(body).await;
        assert_eq!(told["error"]["message"], message, "{body}");
        assert_eq!(told["old"], false, "{body}");
    }
}

/// NR-62: a Catch of chosen nodes hears of those alone; one for the uncaught hears of what no other took.
#[tokio::test]
async fn scopes_of_a_catch() {
    let fails = |id: &str| function(id, "throw new Error(\"x\");", json!([[]]));
    let answer = |id: &str| function(id, &format!("msg.payload = \"{id}\";\nreturn msg;"), json!([["out"]]));
    let uncaught = json!({"id": "u", "type": "catch", "scope": null, "uncaught": true, "wires": [["by-rest"]]});
    for (scope, by) in [(json!(["n0"]), "by-choice"), (json!(["other"]), "by-rest"), (Value::Null, "by-choice")] {
        let nodes = [
            fails("n0"),
            catch("c", scope.clone(), json!([["by-choice"]])),
            uncaught.clone(),
            answer("by-choice"),
            answer("by-rest"),
        ];
        let chancery = Chancery::serving(&flow(&nodes)).await;
        assert_eq!(chancery.get("/x").await.body, by, "{scope}");
    }
}

/// NR-63: a Catch that leads back to the node that fails is cut off at the tenth error, with one warning.
#[tokio::test]
async fn an_error_loop_ends() {
    let nodes = [function("n0", "throw new Error(\"x\");", json!([[]])), catch("c", Value::Null, json!([["n0"]]))];
    let mut chancery = Chancery::serving(&flow(&nodes)).await;
    let reply = chancery.get("/x").await;
    assert_eq!(reply.status, 500);
    let log = chancery.log();
    assert_eq!(log.matches("flow_fault_loop").count(), 1, "{log}");
    assert_eq!(log.matches("\"flow_fault\"").count(), 0, "{log}");
}

/// NR-64: an uncaught error is answered at once, and nothing of it leaves; the log has it under the same id.
#[tokio::test]
async fn an_uncaught_error() {
    let mut chancery =
        Chancery::serving(&flow(&[function("n0", "throw new Error(\"canary\");", json!([["out"]]))])).await;
    let began = Instant::now();
    let reply = chancery.get("/x").await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(reply.status, 500);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["error"], "flow_error");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    assert!(!reply.body.contains("canary") && !reply.head.contains("canary"));
    let log = chancery.log();
    let line = log.lines().find(|line| line.contains("canary")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["request_id"], &line["node"], &line["tab"]), (&body["id"], &json!("n0"), &json!("tab")));
}

/// NR-65: of two branches one fails and one answers: the client gets the answer.
#[tokio::test]
async fn one_branch_fails_and_one_answers() {
    let fork = function("n0", "return msg;", json!([["bad", "good"]]));
    let bad = function("bad", "throw new Error(\"x\");", json!([[]]));
    let good = function("good", "msg.payload = \"fine\";\nreturn msg;", json!([["out"]]));
    let chancery = Chancery::serving(&flow(&[fork, bad, good])).await;
    let reply = chancery.get("/x").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "fine"));
}

/// NR-66: `node.error` with the message does not end the function.
#[tokio::test]
async fn an_error_told_and_a_message_sent() {
    let body = "node.error(\"x\", msg);\nmsg.payload = \"sent\";\nreturn msg;";
    let chancery = Chancery::serving(&flow(&[function("n0", body, json!([["out"]]))])).await;
    let reply = chancery.get("/x").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "sent"));
}

/// NR-67: a dropped message is answered at the limit, with 500 if an error was told; a later answer is an error that
/// can be caught.
#[tokio::test]
async fn nobody_answers() {
    for (body, status, code) in [
        ("return null;", 504, "flow_timeout"),
        ("node.error(\"x\", msg);\nsetTimeout(function () {}, 2000);", 500, "flow_error"),
    ] {
        let chancery = Chancery::serving(&flow(&[function("n0", body, json!([["out"]]))])).await;
        let began = Instant::now();
        let reply = chancery.get("/x").await;
        assert!(began.elapsed() >= Options::default().reply_timeout, "{body}");
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.body.contains(code), "{body}: {}", reply.body);
    }
    let late = function("n0", "setTimeout(function () { node.send(msg); }, 700);", json!([["out"]]));
    let keep = function("keep", "flow.set(\"late\", msg.error.code);", json!([[]]));
    let show = json!({"id": "in2", "type": "http in", "url": "/late", "method": "get", "wires": [["show"]]});
    let shown = function("show", "msg.payload = String(flow.get(\"late\"));\nreturn msg;", json!([["out"]]));
    let nodes = [late, catch("c", json!(["out"]), json!([["keep"]])), keep, show, shown];
    let chancery = Chancery::serving(&flow(&nodes)).await;
    assert_eq!(chancery.get("/x").await.status, 504);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(chancery.get("/late").await.body, "ERR_HTTP_HEADERS_SENT");
}

/// NR-68: Complete and Status nodes hear of the nodes that they name.
#[tokio::test]
async fn complete_and_status() {
    let worker =
        function("n0", "node.status({ fill: \"red\", shape: \"dot\", text: \"s\" });\nreturn null;", json!([[]]));
    let complete = json!({"id": "done", "type": "complete", "scope": ["n0"], "wires": [["tell"]]});
    let status = json!({"id": "stat", "type": "status", "scope": ["n0"], "wires": [["keep"]]});
    let keep = function("keep", "flow.set(\"status\", msg.status);", json!([[]]));
    let tell = function("tell", "msg.payload = msg.complete;\nreturn msg;", json!([["out"]]));
    let show = json!({"id": "in2", "type": "http in", "url": "/status", "method": "get", "wires": [["show"]]});
    let shown = function("show", "msg.payload = flow.get(\"status\");\nreturn msg;", json!([["out"]]));
    let chancery = Chancery::serving(&flow(&[worker, complete, status, keep, tell, show, shown])).await;
    let reply = chancery.get("/x").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["source"]["id"], "n0");
    let reply = chancery.get("/status").await;
    let status: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((&status["fill"], &status["text"], &status["source"]["id"]), (&json!("red"), &json!("s"), &json!("n0")));
}

/// NR-83: a second answer is an error that can be caught; a message without `res` only warns.
#[tokio::test]
async fn a_second_answer() {
    let nodes = [
        function("n0", "msg.payload = \"first\";\nreturn msg;", json!([["out", "out"]])),
        catch("c", json!(["out"]), json!([["keep"]])),
        function("keep", "flow.set(\"code\", msg.error.code);\nreturn { payload: 1 };", json!([["out"]])),
        json!({"id": "in2", "type": "http in", "url": "/code", "method": "get", "wires": [["show"]]}),
        function("show", "msg.payload = String(flow.get(\"code\"));\nreturn msg;", json!([["out"]])),
    ];
    let mut chancery = Chancery::serving(&flow(&nodes)).await;
    assert_eq!(chancery.get("/x").await.body, "first");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(chancery.get("/code").await.body, "ERR_HTTP_HEADERS_SENT");
    let log = chancery.log();
    assert!(log.contains("leads to no request"), "{log}");
    assert!(!log.contains("\"flow_fault\""), "{log}");
}

/// NR-86, NR-87: a function that loops is ended by its own limit, and other flows answer meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_function() {
    let mut looping = function("n0", "for (;;) {}", json!([["out"]]));
    looping["timeout"] = 1.into();
    let nodes = [
        looping,
        catch("c", Value::Null, json!([["tell"]])),
        tell(),
        json!({"id": "in2", "type": "http in", "url": "/other", "method": "get", "wires": [["other"]]}),
        function("other", "msg.payload = [1].map(function (x) { return x + 1; });\nreturn msg;", json!([["out"]])),
    ];
    let options = Options { reply_timeout: Duration::from_secs(8), ..Options::default() };
    let chancery = Chancery::with(options);
    chancery.deploy(&flow(&nodes)).await.unwrap();
    assert_eq!(chancery.get("/other").await.body, "[2]");
    let (slow, ()) = tokio::join!(chancery.get("/x"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(chancery.get("/other").await.body, "[2]");
            assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
        }
    });
    assert!(slow.body.contains("ERR_SCRIPT_EXECUTION_TIMEOUT"), "{}", slow.body);
}

/// NR-90: a function that is no program is told with its line; its requests fail, other nodes run.
#[tokio::test]
async fn a_function_that_is_no_program() {
    let nodes = [
        function("n0", "var x = 1;\nvar y = = 2;\nreturn msg;", json!([["out"]])),
        json!({"id": "in2", "type": "http in", "url": "/other", "method": "get", "wires": [["other"]]}),
        function("other", ANSWER, json!([["out"]])),
    ];
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy(&flow(&nodes)).await.unwrap();
    let told: Vec<_> = report.diagnostics.iter().filter(|told| told.code == "script_syntax").collect();
    assert_eq!(told.len(), 1, "{:?}", report.diagnostics);
    assert_eq!(&*told[0].place.node, "n0");
    assert!(told[0].message.contains("in line 2"), "{}", told[0].message);
    assert_eq!(chancery.get("/x").await.status, 500);
    assert_eq!(chancery.get("/other").await.status, 200);
}

/// NR-91: variables are shared as far as they reach, last from message to message, and survive the worker.
#[tokio::test]
async fn variables_last() {
    let body = "var n = (flow.get(\"n\") || 0) + 1;\nflow.set(\"n\", n);\nif (n === 2) { for (;;) {} }\n\
                msg.payload = String(n);\nreturn msg;";
    let mut counting = function("n0", body, json!([["out"]]));
    counting["timeout"] = 1.into();
    let options = Options { reply_timeout: Duration::from_secs(8), ..Options::default() };
    let chancery = Chancery::with(options);
    chancery.deploy(&flow(&[counting])).await.unwrap();
    assert_eq!(chancery.get("/x").await.body, "1");
    assert_eq!(chancery.get("/x").await.status, 500, "its worker is killed");
    assert_eq!(chancery.get("/x").await.body, "3");
}

/// NR-35: what a debug node shows of a request's headers does not show its credentials.
#[tokio::test]
async fn credentials_do_not_show_in_the_log() {
    let nodes = [
        function("n0", "msg.shown = msg.req.headers;\nreturn msg;", json!([["debug", "out"]])),
        json!({"id": "debug", "type": "debug", "console": true, "complete": "shown", "targetType": "msg", "wires": []}),
    ];
    let mut chancery = Chancery::serving(&flow(&nodes)).await;
    chancery.get_as("/x", "Bearer canary").await;
    let log = chancery.log();
    assert!(log.contains("localhost") && log.contains("***"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

/// NR-85: messages wait until `initialize` is done; `finalize` runs when the document is replaced.
#[tokio::test]
async fn scripts_begin_and_end_with_their_document() {
    let mut counting = function("n0", "msg.payload = String(context.get(\"n\") + 1);\nreturn msg;", json!([["out"]]));
    counting["initialize"] =
        "await new Promise(function (done) { setTimeout(done, 100); });\ncontext.set(\"n\", 41);".into();
    counting["finalize"] = "flow.set(\"bye\", \"said\");".into();
    let options = Options { reply_timeout: Duration::from_secs(5), ..Options::default() };
    let chancery = Chancery::with(options);
    chancery.deploy(&flow(&[counting])).await.unwrap();
    assert_eq!(chancery.get("/x").await.body, "42");
    let asking = function("n0", "msg.payload = String(flow.get(\"bye\"));\nreturn msg;", json!([["out"]]));
    chancery.deploy(&flow(&[asking])).await.unwrap();
    for _ in 0..50 {
        if chancery.get("/x").await.body == "said" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("`finalize` has not run");
}

/// NR-87: a function that eats memory fails alone; its worker is replaced.
#[tokio::test]
async fn a_function_that_eats_memory() {
    let hungry = "var all = [];\nfor (;;) { all.push(new Array(100000).fill(all.length)); }";
    let nodes = [
        function("n0", hungry, json!([["out"]])),
        catch("c", Value::Null, json!([["tell"]])),
        tell(),
        json!({"id": "in2", "type": "http in", "url": "/other", "method": "get", "wires": [["other"]]}),
        function("other", "msg.payload = [1].map(function (x) { return x + 1; });\nreturn msg;", json!([["out"]])),
    ];
    let chancery = Chancery::with(Options { reply_timeout: Duration::from_secs(15), ..Options::default() });
    chancery.deploy(&flow(&nodes)).await.unwrap();
    for _ in 0..2 {
        let reply = chancery.get("/x").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let told: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(told["error"]["source"]["id"], "n0", "{told}");
        assert_eq!(chancery.get("/other").await.body, "[2]");
    }
}
