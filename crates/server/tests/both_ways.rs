//! Function bodies that only shape data run as steps of the plan. Run as scripts, they must make the same of every message.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use dialects::node_red::{self, Accepted, Found, LowerSettings, Peer, RouteTable};
use engine::{Context, Run, Step, Told};
use jose::json::Limits;
use plan::{Answer, Ask, Flow, JsonRules, Map, Op, ScriptEvent, TriggerIx, ValidFlow, Value};
use sandbox::{Pool, PoolSettings, Said, ScriptKey};

const NOW: Context = Context { now_epoch_ms: 1_700_000_000_000, random: 1 };

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/node-red/function-bodies")
}

fn bodies() -> Vec<(String, String)> {
    let mut files: Vec<_> =
        fs::read_dir(corpus().join("lowered")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files.into_iter().map(|file| (name(&file), fs::read_to_string(&file).unwrap())).collect()
}

/// The members that each message has beside those of its request.
fn messages() -> Vec<Map> {
    let text = fs::read(corpus().join("messages.json")).unwrap();
    let Value::List(all) = plan::read_json(&text, Limits::DOCUMENT, JsonRules::Ecmascript).unwrap() else {
        panic!("a list")
    };
    all.iter().map(|message| message.as_map().unwrap().clone()).collect()
}

/// A request, a function with this body, and an answer wherever a message can come out.
fn lowered(body: &str) -> node_red::Lowered {
    let document = serde_json::json!([
        {"id": "in", "type": "http in", "method": "get", "url": "/x/:id", "wires": [["f"]]},
        {"id": "f", "type": "function", "func": body, "outputs": 1, "wires": [["sent"]]},
        {"id": "sent", "type": "http response", "wires": []},
        {"id": "when-done", "type": "complete", "scope": ["f"], "wires": [["done"]]},
        {"id": "done", "type": "http response", "wires": []},
        {"id": "when-failed", "type": "catch", "scope": ["f"], "wires": [["failed"]]},
        {"id": "failed", "type": "http response", "wires": []},
    ]);
    let settings = LowerSettings { environment: &Default::default(), jwt_any_hmac: false };
    node_red::lower("both-ways", document.to_string().as_bytes(), &settings).unwrap()
}

fn request(routes: &[node_red::Route], members: &Map) -> Accepted {
    let table = RouteTable::new(routes.iter().map(|route| (route.clone(), ())));
    let request =
        http::Request::get("/x/7?user=alice&n=1").header("Authorization", "Bearer t").header("X-Api-Key", "k");
    let request = request.body(Bytes::new()).unwrap();
    let Found::Route { route, parameters, .. } = table.find(request.method(), request.uri().path()) else {
        panic!("a route")
    };
    let peer = Peer { address: "127.0.0.1".to_owned(), encrypted: false };
    let mut accepted = node_red::accept(route, parameters, &request, &peer, "0123456789abcdef").unwrap();
    let mut message = accepted.message.as_map().unwrap().clone();
    message.remove("payload");
    for (name, value) in members.iter() {
        message.insert(name.clone(), value.clone());
    }
    accepted.message = message.into();
    accepted
}

/// Everything that comes out of a run, in order, and whether a script was needed.
async fn run(flow: &ValidFlow, pool: &Pool, script: ScriptKey, accepted: Accepted) -> (Vec<String>, bool) {
    let mut run = Run::start(flow, TriggerIx(0), accepted.message, accepted.cells);
    let (mut out, mut scripted) = (Vec::new(), false);
    loop {
        match run.step(&NOW) {
            Step::Ask(id, Ask::Reply { reply, message }) => {
                out.push(format!("reply {} {message:?} {:?}", reply.0, run.cells()));
                run.answer(id, Answer::Replied, &NOW).unwrap();
            }
            Step::Ask(id, Ask::Script { message, .. }) => {
                scripted = true;
                let mut conversation = pool.call(script, &message, run.cells());
                loop {
                    let said = tokio::time::timeout(Duration::from_secs(60), conversation.next()).await.unwrap();
                    let Said::Event(event) = said else { panic!("no body of the corpus asks for variables") };
                    let rests = event == ScriptEvent::Rest;
                    run.answer(id, Answer::Script(event), &NOW).unwrap();
                    if rests {
                        break;
                    }
                }
            }
            Step::Ask(_, other) => panic!("nothing else is asked for: {other:?}"),
            Step::Told(Told::Log { value, .. }) => out.push(format!("log {value:?}")),
            Step::Told(told) => out.push(format!("told {told:?}")),
            Step::Waiting => panic!("every ask was answered"),
            Step::Rest => return (out, scripted),
        }
    }
}

fn as_script(mut flow: Flow) -> Flow {
    let shape = flow.nodes.iter_mut().find_map(|node| {
        let Op::Shape { otherwise, .. } = node.op else { return None };
        Some((&mut node.op, otherwise))
    });
    let (op, otherwise) = shape.expect("the body was lowered");
    *op = Op::Script(otherwise);
    flow
}

/// Workers that cargo has built beside this test.
fn pool() -> Pool {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/script_worker");
    Pool::new(PoolSettings { program, arguments: Vec::new(), workers_max: 2, idle: Duration::from_secs(30) })
}

#[tokio::test]
async fn steps_and_scripts_make_the_same_of_every_message() {
    let (pool, messages) = (pool(), messages());
    let (mut shaped, mut differences) = (0, Vec::new());
    for (name, body) in bodies() {
        let lowered = lowered(&body);
        let script = pool.register("both-ways", &lowered.flow.scripts[0]);
        let as_steps = plan::validate(lowered.flow.clone()).unwrap();
        let as_script = plan::validate(as_script(lowered.flow)).unwrap();
        for members in &messages {
            let (by_steps, scripted) = run(&as_steps, &pool, script, request(&lowered.routes, members)).await;
            let (by_script, _) = run(&as_script, &pool, script, request(&lowered.routes, members)).await;
            shaped += usize::from(!scripted);
            if by_steps != by_script {
                differences.push(format!("{name} on {members:?}\n  steps:  {by_steps:#?}\n  script: {by_script:#?}"));
            }
        }
        pool.end(script);
    }
    let shown = differences.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences, the first of them:\n{shown}", differences.len());
    assert!(shaped > 500, "most messages need no script: {shaped}");
}
