//! Deploying: what goes live, what is refused and why, and what becomes of that which was live before.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use house::chancery::{CONFIG, Chancery, Options, SEED, flow, function};
use plan::Severity;
use serde_json::{Value, json};
use server::deployment::DeployError;
use server::effects::file::Files;
use server::vault::Vault;
use signer::MasterSource;
use store::By;

const BY: By<'_> = By { actor: "test", address: None, request_id: None };

/// A document that answers `GET /x` with this text.
fn saying(text: &str) -> String {
    flow(&[function("n0", &format!("msg.payload = \"{text}\";\nreturn msg;"), json!([["out"]]))])
}

fn refusal(error: DeployError) -> Vec<plan::Diagnostic> {
    let DeployError::Refused(diagnostics) = error else { panic!("a refused document: {error}") };
    diagnostics
}

#[tokio::test]
async fn what_is_no_flow_file_is_refused_with_its_place() {
    let chancery = Chancery::serving(&saying("old")).await;
    for document in ["", "{", "nothing", "PK\u{3}\u{4}"] {
        let error = chancery.deploy(document).await.unwrap_err();
        assert!(matches!(error, DeployError::UnknownKind | DeployError::Refused(_)), "{document}: {error}");
    }
    let broken = saying("new").replace("\"wires\":[[\"out\"]]", "\"wires\":[[\"out\"]");
    let told = refusal(chancery.deploy(&broken).await.unwrap_err());
    assert_eq!(told[0].severity, Severity::Error);
    let (line, column) = told[0].place.line_column.unwrap();
    assert_eq!(line, 1);
    assert!(broken.is_char_boundary(column) && column > 10, "{column}");
    assert_eq!(chancery.get("/x").await.body, "old", "nothing has changed");
}

#[tokio::test]
async fn what_is_too_large_is_refused_at_once() {
    let chancery = Chancery::serving(&saying("old")).await;
    let huge = format!("[{}]", " ".repeat(server::limits::DOCUMENT_FILE_BYTES_MAX));
    let began = Instant::now();
    let error = chancery.deploy(&huge).await.unwrap_err();
    assert!(matches!(error, DeployError::TooLarge { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(chancery.get("/x").await.body, "old");
}

#[tokio::test]
async fn ten_thousand_nodes_are_deployed() {
    let chancery = Chancery::with(Options::default());
    let chain = |at: usize| {
        let next = if at < 9_999 { format!("n{}", at + 1) } else { "out".to_owned() };
        function(&format!("n{at}"), "return msg;", json!([[next]]))
    };
    let nodes: Vec<Value> = (0..10_000).map(chain).collect();
    chancery.deploy(&flow(&nodes)).await.unwrap();
    assert_eq!(chancery.get("/x").await.status, 200);
}

#[tokio::test]
async fn wires_in_a_circle_end_and_other_requests_go_on() {
    let nodes = [
        function("n0", "msg.payload = { deeper: msg.payload };\nreturn msg;", json!([["n1"]])),
        function("n1", "return msg;", json!([["n0"]])),
        json!({"id": "in2", "type": "http in", "url": "/other", "method": "get", "wires": [["other"]]}),
        function("other", "return msg;", json!([["out"]])),
    ];
    let mut chancery = Chancery::serving(&flow(&nodes)).await;
    assert_eq!(chancery.get("/x").await.status, 500);
    assert_eq!(chancery.get("/other").await.status, 200);
    let log = chancery.log();
    assert!(log.contains("\"flow_fault\"") && log.contains("\"node\":\"n0\""), "{log}");
}

#[tokio::test]
async fn one_path_has_one_owner() {
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("first", &saying("first")).await.unwrap();
    let told = refusal(chancery.deploy_as("second", &saying("second")).await.unwrap_err());
    assert_eq!(told[0].code, "route_taken");
    assert!(told[0].message.contains("GET /x") && told[0].message.contains("`first`"), "{}", told[0].message);
    assert_eq!(chancery.get("/x").await.body, "first");
    chancery.deploy_as("first", &saying("again")).await.unwrap();
    assert_eq!(chancery.get("/x").await.body, "again");
    let reserved = saying("keys").replace("\"/x\"", "\"/.well-known/jwks.json\"");
    assert_eq!(refusal(chancery.deploy_as("keys", &reserved).await.unwrap_err())[0].code, "route_reserved");
}

/// NR-53: a tab with an unknown type stops alone, and its routes say so.
#[tokio::test]
async fn a_stopped_tab_answers_503() {
    let mut nodes: Vec<Value> = serde_json::from_str(&saying("fine")).unwrap();
    nodes.extend([
        json!({"id": "t2", "type": "tab"}),
        json!({"id": "in2", "type": "http in", "z": "t2", "url": "/y", "method": "get", "wires": [["odd"]]}),
        json!({"id": "odd", "type": "no such type", "z": "t2", "wires": []}),
    ]);
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy(&Value::Array(nodes).to_string()).await.unwrap();
    let told: Vec<_> = report.diagnostics.iter().filter(|told| told.code == "missing_type").collect();
    assert_eq!((&*told[0].place.node, &*told[0].place.kind), ("odd", "no such type"));
    let reply = chancery.get("/y").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("flow_stopped"), "{}", reply.body);
    assert_eq!(chancery.get("/x").await.body, "fine");
}

/// What is told of a tab that holds this node and stops for it, while the rest of the import runs.
async fn told_of_tab_with(node: Value) -> plan::Diagnostic {
    let mut nodes: Vec<Value> = serde_json::from_str(&saying("fine")).unwrap();
    let route = json!({"id": "in2", "type": "http in", "z": "t2", "url": "/y", "method": "get", "wires": [["odd"]]});
    nodes.extend([json!({"id": "t2", "type": "tab"}), route, node]);
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy(&Value::Array(nodes).to_string()).await.unwrap();
    assert_eq!((chancery.get("/x").await.body.as_str(), chancery.get("/y").await.status), ("fine", 503));
    let mut about = report.diagnostics.into_iter().filter(|told| told.severity == Severity::Stopped);
    about.next().unwrap()
}

/// NR-55: `exec` is refused with its own text, and the rest of the import runs.
#[tokio::test]
async fn programs_of_the_host_are_refused() {
    let told = told_of_tab_with(json!({"id": "odd", "type": "exec", "z": "t2", "command": "rm", "wires": []})).await;
    assert_eq!((&*told.place.node, &*told.place.kind, &*told.place.section), ("odd", "exec", "t2"));
    assert!(told.message.contains("starts programs on the host, which no flow may do here"), "{told}");
    let unknown = told_of_tab_with(json!({"id": "odd", "type": "exec2", "z": "t2", "wires": []})).await;
    assert!(!unknown.message.contains("programs"), "{unknown}");
}

/// NR-42: `jwt sign` with the properties of no known package is refused, naming node id, type and properties.
#[tokio::test]
async fn a_jwt_node_of_no_known_package_is_refused() {
    for kind in ["jwt sign", "jwt verify"] {
        let node = json!({"id": "odd", "type": kind, "z": "t2", "token": "payload", "lifetime": 60, "wires": []});
        let told = told_of_tab_with(node).await;
        assert_eq!((&*told.place.node, &*told.place.kind, told.code), ("odd", kind, "jwt_package_unknown"));
        for named in ["`odd`", kind, "`token`", "`lifetime`"] {
            assert!(told.message.contains(named), "{named}: {told}");
        }
    }
}

/// NR-54: a function that asks for a module which is not here stops its own tab; those that are here stop nothing.
#[tokio::test]
async fn a_missing_module_stops_its_own_tab() {
    let asking = |id: &str, module: &str| {
        let libs = json!([{"var": "m", "module": module}]);
        json!({"id": id, "type": "function", "z": "t2", "func": "return msg;", "libs": libs, "wires": [[]]})
    };
    let mut nodes: Vec<Value> = serde_json::from_str(&saying("fine")).unwrap();
    nodes.extend([
        json!({"id": "t2", "type": "tab"}),
        json!({"id": "in2", "type": "http in", "z": "t2", "url": "/y", "method": "get", "wires": [["has"]]}),
        asking("has", "node:crypto"),
        asking("lacks", "lodash"),
    ]);
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy(&Value::Array(nodes).to_string()).await.unwrap();
    let told: Vec<_> = report.diagnostics.iter().filter(|told| told.code == "missing_module").collect();
    assert_eq!(told.iter().map(|told| &*told.place.node).collect::<Vec<_>>(), ["lacks"]);
    assert!(told[0].message.contains("`lodash`"), "{}", told[0].message);
    assert_eq!(chancery.get("/y").await.status, 503);
    assert_eq!(chancery.get("/x").await.body, "fine");
}

/// NR-93 (part), D20: an expression that cannot be read is told of at the deploy, and each message that needs it is a
/// catchable error; what the expression asks of the document is answered.
#[tokio::test]
async fn expressions_are_read_at_the_deploy_and_evaluated_for_each_message() {
    let change = |to: &str| json!({"id": "n0", "type": "change", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": to, "tot": "jsonata"}], "wires": [["out"]]});
    let chancery =
        Chancery::serving(&flow(&[change("$uppercase(req.query.a) & $env(\"NOTHING\") & $globalContext(\"b.c\")")]))
            .await;
    assert_eq!(chancery.get("/x?a=b").await.body, "B");
    let report = chancery.deploy(&flow(&[change("1 +")])).await.unwrap();
    let told: Vec<_> = report.diagnostics.iter().filter(|told| told.code == "expression_syntax").collect();
    assert_eq!(&*told[0].place.node, "n0");
    assert!(told[0].message.contains("`1 +`"), "{}", told[0].message);
    let reply = chancery.get("/x").await;
    assert_eq!(reply.status, 500);
    assert!(reply.body.contains("flow_error"), "{}", reply.body);
}

#[tokio::test]
async fn a_run_outlives_the_deploy_that_replaces_its_document() {
    let slow = "setTimeout(function () { msg.payload = \"old\"; node.send(msg); }, 400);";
    let options = Options { reply_timeout: Duration::from_secs(5), ..Options::default() };
    let chancery = Chancery::with(options);
    chancery.deploy(&flow(&[function("n0", slow, json!([["out"]]))])).await.unwrap();
    let (reply, ()) = tokio::join!(chancery.get("/x"), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        chancery.deploy(&saying("new")).await.unwrap();
        assert_eq!(chancery.get("/x").await.body, "new");
    });
    assert_eq!((reply.status, reply.body.as_str()), (200, "old"));
}

#[tokio::test]
async fn what_is_taken_away_is_not_found() {
    let chancery = Chancery::serving(&saying("here")).await;
    assert!(chancery.deployments.undeploy("flows", &house::chancery::caller()).await.unwrap());
    assert_eq!(chancery.get("/x").await.status, 404);
    assert!(chancery.deployments.list().is_empty());
}

/// NR-103: an inject node fires once after the deploy and then at its interval, until its document is replaced.
#[tokio::test]
async fn time_sets_flows_off() {
    let inject = json!({"id": "tick", "type": "inject", "once": true, "onceDelay": 0.05, "repeat": "0.1", "props": [{"p": "payload"}],
                        "payload": "1", "payloadType": "num", "wires": [["count"]]});
    let count = function("count", "flow.set(\"n\", (flow.get(\"n\") || 0) + msg.payload);", json!([[]]));
    let show = function("n0", "msg.payload = flow.get(\"n\") || 0;\nreturn msg;", json!([["out"]]));
    let chancery = Chancery::with(Options { reply_timeout: Duration::from_secs(5), ..Options::default() });
    chancery.deploy(&flow(&[inject, count, show.clone()])).await.unwrap();
    let counted = async || {
        let reply = chancery.get("/x").await;
        reply.body.parse::<u32>().unwrap_or_else(|_| panic!("a number: {reply:?}"))
    };
    tokio::time::sleep(Duration::from_millis(800)).await;
    let count = counted().await;
    assert!((4..=9).contains(&count), "{count}");
    chancery.deploy(&flow(&[show])).await.unwrap();
    let after = counted().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let later = counted().await;
    assert!(after >= count && later <= after + 1, "{count} {after} {later}");
}

/// An inject node fires at the points in time of its schedule, once for each.
#[tokio::test]
async fn the_clock_sets_flows_off() {
    let inject = json!({"id": "tick", "type": "inject", "crontab": "* * * * * *", "props": [{"p": "payload"}],
                        "payload": "", "payloadType": "date", "wires": [["keep"]]});
    let keep = function("keep", "flow.set(\"all\", (flow.get(\"all\") || []).concat(msg.payload));", json!([[]]));
    let show = function("n0", "msg.payload = flow.get(\"all\") || [];\nreturn msg;", json!([["out"]]));
    let chancery = Chancery::with(Options { reply_timeout: Duration::from_secs(5), ..Options::default() });
    chancery.deploy(&flow(&[inject, keep, show])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    let fired: Vec<i64> = serde_json::from_str(&chancery.get("/x").await.body).unwrap();
    assert!((1..=3).contains(&fired.len()), "{fired:?}");
    assert!(fired.windows(2).all(|pair| pair[1] / 1_000 > pair[0] / 1_000), "{fired:?}");
}

/// NR-29, NR-30, NR-51: a secret may name a variable; one that is not set, or ours, counts as missing.
#[tokio::test]
async fn a_secret_may_name_a_variable() {
    let chancery = Chancery::with(Options::default());
    chancery.deploy(SEED).await.unwrap();
    // `PATH` is set wherever tests run.
    for (secret, status) in [
        ("${PATH}", 200),
        ("$(PATH)", 200),
        ("pre${NOT_SET_ANYWHERE}", 200),
        ("${NOT_SET_ANYWHERE}", 500),
        ("${CHANCERY_DATA}", 500),
    ] {
        chancery.set_secret(secret);
        assert_eq!(chancery.get("/jwt/generate").await.status, status, "{secret}");
    }
}

/// NR-35: a secret that stands in a document is moved out of it, works, and shows nowhere.
#[tokio::test]
async fn a_secret_in_a_document_is_moved_out() {
    let marked = "canary-7f3a";
    let with_secret = SEED.replace(
        "\"type\":\"jwt-config\"",
        &format!("\"type\":\"jwt-config\",\"credentials\":{{\"tokensecret\":\"{marked}\"}}"),
    );
    assert_ne!(with_secret, SEED);
    let mut chancery = Chancery::with(Options::default());
    let report = chancery.deploy(&with_secret).await.unwrap();
    assert_eq!(chancery.get("/jwt/generate").await.status, 200);
    let stored = chancery.deployments.vault().store().document("public", "flows").unwrap().unwrap();
    let stored = String::from_utf8(stored.octets).unwrap();
    let parsed: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(parsed, serde_json::from_str::<Value>(SEED).unwrap());
    let shown = format!("{stored}{report:?}{:?}{}", chancery.deployments.list(), chancery.log());
    assert!(!shown.contains(marked));
}

/// Walkthrough A of the design: deployed once, stored without its secret, and
/// served again by the next process over the same folder.
#[tokio::test]
async fn a_document_is_served_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let source = || MasterSource::File(folder.path().join("master.key"));
    let vault = Arc::new(Vault::init(&data, source(), &[], &BY).unwrap());
    let first = Chancery::with(Options { vault: Some(vault), ..Options::default() });
    first.deploy(SEED).await.unwrap();
    first.set_secret("kept");
    let told = first.get("/jwt/generate").await;
    assert_eq!((told.status, told.body.len()), (200, 412));
    stop(first).await;

    let vault = Arc::new(Vault::open(&data, source()).unwrap());
    let second = Chancery::with(Options { vault: Some(vault), ..Options::default() });
    let restored = second.deployments.restore().await.unwrap();
    assert!(restored.iter().all(|(name, report)| name == "flows" && report.is_ok()));
    assert_eq!(second.get("/jwt/generate").await.status, 200);
    let secrets = second.deployments.vault().secrets().unwrap();
    assert_eq!(secrets.iter().map(|secret| &*secret.owner).collect::<Vec<_>>(), [CONFIG]);
}

/// Ends a server and lets go of its data folder.
async fn stop(mut chancery: Chancery) {
    chancery.running.stop().await;
    let vault = Arc::downgrade(chancery.deployments.vault());
    drop(chancery);
    for _ in 0..100 {
        if vault.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("somebody still holds the vault");
}

/// NR-50: `${NAME}` as a whole property is the variable, and names of ours are not seen.
#[tokio::test]
async fn properties_name_variables() {
    let environment =
        BTreeMap::from([("WHERE".to_owned(), "/x".to_owned()), ("CHANCERY_WHERE".to_owned(), "/hidden".to_owned())]);
    let document = saying("found").replace("\"/x\"", "\"${WHERE}\"");
    let chancery = Chancery::with(Options { environment, ..Options::default() });
    chancery.deploy(&document).await.unwrap();
    assert_eq!(chancery.get("/x").await.body, "found");
    chancery.deploy(&document.replace("${WHERE}", "${CHANCERY_WHERE}")).await.unwrap();
    assert_eq!(chancery.get("/hidden").await.status, 404);
}

#[tokio::test]
async fn nothing_is_served_once_the_process_ends() {
    let mut ending = function("n0", "msg.payload = \"here\";\nreturn msg;", json!([["out"]]));
    ending["finalize"] = "node.warn(\"goodbye\");".into();
    let mut chancery = Chancery::with(Options { reply_timeout: Duration::from_secs(5), ..Options::default() });
    chancery.deploy(&flow(&[ending])).await.unwrap();
    assert_eq!(chancery.get("/x").await.body, "here");
    let began = Instant::now();
    chancery.deployments.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4));
    assert_eq!(chancery.get("/x").await.status, 404);
    assert!(chancery.deployments.vault().store().document("public", "flows").unwrap().is_some(), "it is kept");
    let log = chancery.log();
    assert!(log.contains("goodbye"), "{log}");
}

/// NR-101 (part): a request that is held back while its flow is replaced is answered by the flow that took it in.
#[tokio::test]
async fn a_delay_outlives_a_deploy() {
    let delay = json!({"id": "wait", "type": "delay", "z": "t", "pauseType": "delay", "timeout": "400",
        "timeoutUnits": "milliseconds", "x": 0, "y": 0, "wires": [["out"]]});
    let waiting = flow(&[function("n0", "msg.payload = \"old\";\nreturn msg;", json!([["wait"]])), delay]);
    let chancery = Chancery::with(Options { reply_timeout: Duration::from_secs(5), ..Options::default() });
    chancery.deploy(&waiting).await.unwrap();
    let replace = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        chancery.deploy(&saying("new")).await.unwrap();
        chancery.get("/x").await
    };
    let (old, new) = tokio::join!(chancery.get("/x"), replace);
    assert_eq!((old.status, &*old.body, &*new.body), (200, "old", "new"));
}

#[tokio::test]
async fn nodes_that_read_files_are_told_unless_a_folder_is_set() {
    let node = json!({"id": "n0", "type": "file in", "filename": "a.txt", "filenameType": "str", "format": "utf8",
        "sendError": false, "wires": [["out"]]});
    let document = flow(&[node]);
    let told = |report: server::deployment::Report| report.diagnostics.iter().map(|told| told.code).collect::<Vec<_>>();

    let chancery = Chancery::with(Options::default());
    assert_eq!(told(chancery.deploy(&document).await.unwrap()), ["files_folder_unset"]);
    assert_eq!(chancery.get("/x").await.status, 500);

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "text").unwrap();
    let chancery = Chancery::with(Options { files: Files::below(folder.path()).unwrap(), ..Options::default() });
    assert!(told(chancery.deploy(&document).await.unwrap()).is_empty());
    assert_eq!(chancery.get("/x").await.body, "text");
}
