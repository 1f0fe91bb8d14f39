//! Scripts of assemblies that only move values run as steps of the plan. Run as scripts, they must make the same of every
//! message.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use bytes::Bytes;
use dialects::api_connect::{self, Api, Around, Found};
use engine::{Context, Run, Step, Told};
use jose::json::Limits;
use plan::{Answer, Ask, Cells, Flow, JsonRules, Op, ScriptEvent, ValidFlow, Value};
use sandbox::{Pool, PoolSettings, Said, ScriptKey};
use server::deployment::ApiSettings;

const NOW: Context = Context { now_epoch_ms: 1_700_000_000_000, random: 1 };

/// Scripts that are recognised, in the styles of several hands.
const SCRIPTS: [&str; 26] = [
    "apim.setvariable('iss.claim', 'https://issuer.test');",
    "var apim = require('./apim.custom.js');\napim.setvariable('sub', apim.getvariable('client.app.id'));",
    "context.set('aud.claim', 'a,b'); context.set('n', 5); context.set('f', 1.5); context.set('b', false); context.set('z', null)",
    "context.set('copied', context.get('o'))",
    "var body = context.get('o'); context.message.body.write({ token: body, 'from': 'script' });",
    "session.output.write(apim.getvariable('list'))",
    "apim.setvariable('message.headers.Authorization', 'Bearer ' + apim.getvariable('t'))",
    "context.message.header.set('X-Mixed', 'a' + 1 + true + null)\ncontext.message.header.set('X-Of', context.request.header.get('X-In'))",
    "context.set('t', 'x' + context.get('absent'))",
    "context.set('t', 'x' + context.get('o'))",
    "context.set('t', 'x' + context.get('list') + 'y')",
    "context.set('t', 'x' + context.get('float'))",
    "context.set('deep.a.b.c', 1)",
    "context.set('t.below', 1)",
    "context.set('list.below', 1)",
    "context.set('none.below', 1)",
    "var d = context.get('o').in.deep; context.set('d', d)",
    "var d = context.get('absent').x; context.set('d', d)",
    "var d = context.get('t').x; context.set('d', d)",
    "var d = context.get('none').x; context.set('d', d)",
    "apim.setvariable('o', '', 'clear'); apim.setvariable('absent', '', 'clear'); context.clear('t.x'); context.clear('message.body')",
    "context.set('j', JSON.stringify({ a: context.get('o'), b: [1, 'ü\"', null], c: context.get('absent') }))",
    "context.set('j', JSON.stringify(context.get('float')))",
    "context.set('p', context.get('prop')); context.set('q', { of: apim.getvariable('prop') })",
    "context.set('message.statusCode', 201); apim.output('application/json')",
    "context.set('private', { iss: 'x', list: [1, -2, [context.get('n')]], empty: {}, none: [] });",
];

/// What stands in the context beside the request.
fn messages() -> Vec<Value> {
    let texts = [
        r#"{}"#,
        r#"{"o": {"in": {"deep": [1, {"a": "b"}]}, "t": "x"}, "list": [1, "2", {"three": 3}], "t": "token", "n": 7}"#,
        r#"{"o": "text", "list": [], "t": {"x": 1}, "float": 1.25, "none": null, "prop": "variable"}"#,
        r#"{"o": [1], "list": {"a": 1}, "t": 5, "float": 1e21, "none": {}, "deep": {"a": {"kept": true}}}"#,
        r#"{"o": {"in": null}, "deep": {"a": []}, "absent": "there", "n": null, "float": -0.5}"#,
        r#"{"o": {"in": {"deep": "ü\u2028"}}, "deep": 7, "t": "", "list": [[[]]], "absent": {"x": {"y": 1}}}"#,
    ];
    texts.iter().map(|text| plan::read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Ecmascript).unwrap()).collect()
}

fn lowered(script: &str) -> api_connect::Lowered {
    let document = serde_json::json!({
        "swagger": "2.0", "paths": {"/t": {"get": {}}},
        "x-ibm-configuration": {
            "gateway": "datapower-gateway",
            "properties": {"prop": {"value": "property"}},
            "assembly": {"execute": [{"gatewayscript": {"source": script}}]},
        },
    });
    api_connect::lower("both-ways", document.to_string().as_bytes(), &ApiSettings::default().lowering()).unwrap()
}

fn message(api: &Api, members: &Value) -> Value {
    let request = http::Request::get("/t?q=1").header("X-In", "in").body(Bytes::new()).unwrap();
    let Found::Operation(called) = api.find(request.method(), "/t") else { panic!("an operation") };
    let around = Around { transaction: "t", now_epoch_ms: NOW.now_epoch_ms };
    let accepted = api_connect::accept(api, called, &request, api.properties(|_| None), around).unwrap();
    let mut message = accepted.message.as_map().unwrap().clone();
    for (name, value) in members.as_map().unwrap().iter() {
        message.insert(name.clone(), value.clone());
    }
    message.into()
}

/// Everything that comes out of a run, in order, and whether a script was needed.
async fn run(flow: &ValidFlow, api: &Api, (pool, script): (&Pool, ScriptKey), message: Value) -> (Vec<String>, bool) {
    let mut run = Run::start(flow, api.trigger, message, Cells::default());
    let (mut out, mut scripted) = (Vec::new(), false);
    loop {
        match run.step(&NOW) {
            Step::Ask(id, Ask::Reply { reply, message }) => {
                out.push(format!("reply {} {message:?}", reply.0));
                run.answer(id, Answer::Replied, &NOW).unwrap();
            }
            Step::Ask(id, Ask::Script { message, .. }) => {
                scripted = true;
                let mut conversation = pool.call(script, &message, run.cells());
                loop {
                    let said = tokio::time::timeout(Duration::from_secs(60), conversation.next()).await.unwrap();
                    let Said::Event(event) = said else { panic!("no script of the corpus asks for variables") };
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
    for node in &mut flow.nodes {
        if let Op::Shape { otherwise, .. } = node.op {
            node.op = Op::Script(otherwise);
        }
    }
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
    for script in SCRIPTS {
        let lowered = lowered(script);
        let is_shape = lowered.flow.nodes.iter().any(|node| matches!(node.op, Op::Shape { .. }));
        assert!(is_shape, "{script} stayed a script");
        let key = pool.register("both-ways", &lowered.flow.scripts[0]);
        let as_steps = plan::validate(lowered.flow.clone()).unwrap();
        let as_script = plan::validate(as_script(lowered.flow)).unwrap();
        for members in &messages {
            let message = message(&lowered.api, members);
            let (by_steps, scripted) = run(&as_steps, &lowered.api, (&pool, key), message.clone()).await;
            let (by_script, _) = run(&as_script, &lowered.api, (&pool, key), message).await;
            shaped += usize::from(!scripted);
            if by_steps != by_script {
                differences.push(format!("{script} on {members:?}\n  steps:  {by_steps:#?}\n  script: {by_script:#?}"));
            }
        }
        pool.end(key);
    }
    let shown = differences.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences, the first of them:\n{shown}", differences.len());
    assert!(shaped > 90, "most messages need no script: {shaped}");
}
