//! What must hold of whatever an orchestration document, or a template in one, says.
//!
//! The fuzzer calls these functions from its targets; `crates/server/tests/fuzz_replay.rs` calls them in every test run.

use dialects::orchestration::{self, LowerSettings, Lowered};
use engine::{Context, Run, Step};
use http::HeaderMap;
use jose::json::{Limits, Value as Json};
use plan::{
    Answer, Ask, Cells, Fault, FaultKind, Known, Refusal, ScriptEvent, SealRequest, TokenFlaw, TriggerIx, Value, dump,
    validate,
};

/// Steps of one run: a flow that goes round and round is ended by the engine itself.
const STEPS_MAX: usize = 100_000;
const NOW: Context = Context { now_epoch_ms: 1_700_000_000_000, random: 1 };
/// What a variable may hold: nothing in particular, and what tries to become syntax wherever it is put.
const MEEK: &str = "v";
const HOSTILE: &str = "\",\"admin\":true,\"x\":\"}]{{flow.id}}\\{{v}}\r\nSet-Cookie: a=b; \u{2028}";

/// What a run came to.
struct Outcome {
    status: u16,
    headers: usize,
    is_json: bool,
    body: Vec<u8>,
}

/// A document is refused, or lowered to a valid flow that runs. Without its secrets it is the same flow and has none left.
pub fn flow(input: &[u8]) {
    let _ = dialects::detect(input);
    let Some(lowered) = lower(input) else { return };
    assert_eq!(lowered.kept.is_none(), lowered.secrets.is_empty(), "a document with secrets is kept without them");
    let valid = validate(lowered.flow.clone()).expect("what is lowered is valid");
    let dumped = dump(&valid);
    if let Some(kept) = &lowered.kept {
        let again = lower(kept).expect("a document without its secrets is a document");
        assert!(again.secrets.is_empty() && again.kept.is_none(), "nothing is left to take out");
        assert_eq!(dump(&validate(again.flow).expect("what is lowered is valid")), dumped, "and runs the same");
    }
    for text in [MEEK, HOSTILE] {
        run(&lowered, text);
    }
}

/// A text is refused as the value of a field, or filled with whatever the message holds, which never becomes syntax: claims and
/// bodies are JSON of the same shape, and no header and no cookie is added.
pub fn template(text: &str) {
    let quoted = quoted(text);
    let end = r#"{"id":"e","type":"end-success","config":{"body":{"json":"{{jwt.claims}}"}}}"#;
    let rows = ["String", "Number", "Boolean", "Array", "Object"]
        .map(|kind| format!(r#""claims":{{"sub":"s","custom":[{{"key":"k","value":{quoted},"type":"{kind}"}}]}}"#));
    let fields = [
        format!(r#""ttl":{quoted}"#),
        format!(r#""claims":{{"sub":{quoted}}}"#),
        format!(
            r#""claims":{{"sub":"s"}},"signature":{{"symmetric":{{"kid":{quoted},"password":"0123456789abcdef0123456789abcdef"}}}}"#
        ),
        format!(r#""claims":{{"sub":"s"}},"signature":{{"symmetric":{{"password":"{{{{secret}}}}","jwk":{quoted}}}}}"#),
    ];
    for config in rows.iter().chain(&fields) {
        same_shape(&format!(
            r#"{{"id":"g","type":"jwt-generator","config":{{{config},"save":{{"attributes":["claims"]}}}},"exits":{{"True":"e","Failure":"e"}}}},{end}"#
        ));
    }
    for config in [
        format!(r#""body":{{"json":{quoted}}}"#),
        format!(r#""body":{{"text":{quoted}}}"#),
        format!(r#""headers":[{{"name":"X-A","value":{quoted}}}]"#),
        format!(r#""cookies":[{{"name":"a","value":{quoted}}}]"#),
    ] {
        same_shape(&format!(r#"{{"id":"g","type":"end-success","config":{{{config}}}}}"#));
    }
    for config in [
        format!(r#""url":"https://a.test/","method":"POST","data":{{"json":{quoted}}}"#),
        format!(r#""url":"https://a.test/","method":"POST","data":{{"text":{quoted}}}"#),
        format!(r#""url":{quoted},"headers":[{{"name":"X-A","value":{quoted}}}]"#),
    ] {
        same_shape(&format!(
            r#"{{"id":"g","type":"http-request","config":{{{config}}},"exits":{{"Success":"e","Failure":"e"}}}},{end}"#
        ));
    }
    let operators = ["equals", "contains", "starts", "ends", "matches", "less", "greater", "exists", "empty", "isType"];
    let rows = operators
        .map(|operator| format!(r#"{{"left":{quoted},"operator":"{operator}","right":{quoted},"exit":"Yes"}}"#));
    same_shape(&format!(
        r#"{{"id":"g","type":"condition","config":{{"rows":[{}]}},"exits":{{"Yes":"v","Otherwise":"v"}}}},
            {{"id":"v","type":"set-variable","config":{{"rows":[{{"key":"k","value":{quoted}}}]}},"exits":{{"Success":"d","Failure":"d"}}}},
            {{"id":"d","type":"end-success","config":{{"body":{{"json":"{{{{data}}}}"}}}}}}"#,
        rows.join(",")
    ));
}

/// Two messages whose texts alone differ have answers that differ in texts alone, unless one cannot be given.
fn same_shape(nodes: &str) {
    let Some(lowered) = lower(document(nodes).as_bytes()) else { return };
    let [meek, hostile] = [MEEK, HOSTILE].map(|text| run(&lowered, text));
    let (Some(meek), Some(hostile)) = (meek, hostile) else { return };
    if meek.status == 200 && hostile.status == 200 {
        assert_eq!(meek.headers, hostile.headers, "no header is added");
        assert_eq!(meek.is_json, hostile.is_json);
        if meek.is_json {
            assert_eq!(shape(&meek.body), shape(&hostile.body), "no member is added");
        }
    }
}

/// A flow whose first node behind the start is `g`.
fn document(nodes: &str) -> String {
    format!(
        r#"{{"format":"chancery.orchestration/1","id":"f","category":"API",
            "trigger":{{"type":"api","method":"GET","path":"/f","authentication":"none"}},
            "nodes":[{{"id":"s","type":"start","exits":{{"Next":"g"}}}},{nodes}]}}"#
    )
}

fn lower(document: &[u8]) -> Option<Lowered> {
    orchestration::lower("fuzz", document, &LowerSettings { host: "localhost" }).ok()
}

/// What the first reply is, if there is one.
fn run(lowered: &Lowered, text: &str) -> Option<Outcome> {
    let flow = validate(lowered.flow.clone()).expect("what is lowered is valid");
    let mut run = Run::start(&flow, TriggerIx(0), message(text), Cells::default());
    let mut first = None;
    for _ in 0..STEPS_MAX {
        match run.step(&NOW) {
            Step::Ask(id, ask) => {
                let answer = answer(lowered, ask, &mut first);
                run.answer(id, answer, &NOW).expect("each answer fits its ask");
            }
            Step::Told(_) => {}
            Step::Waiting => panic!("every ask was answered"),
            Step::Rest => return first,
        }
    }
    panic!("the run does not come to rest");
}

fn answer(lowered: &Lowered, ask: Ask, first: &mut Option<Outcome>) -> Answer {
    match ask {
        Ask::Fetch { fetch, to, message } => match lowered.requests[fetch.0 as usize].prepare(&to, &message) {
            Ok((request, _)) => {
                let is_json = is_json(&request.headers);
                let body = request.body.map(|body| body.to_vec()).unwrap_or_default();
                first.get_or_insert(Outcome { status: 200, headers: request.headers.len(), is_json, body });
                Answer::Failed(Fault::new(FaultKind::Configuration, "nobody is asked here"))
            }
            Err(fetched) => Answer::Fetched(fetched),
        },
        Ask::Seal(request) => sealed(&request),
        Ask::Open(_) => Answer::Refused(Refusal::Token(TokenFlaw::Signature, "it does not hold".into())),
        Ask::Reply { reply, message } => match orchestration::render(reply, &message) {
            Ok(response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().len());
                let is_json = is_json(response.headers());
                first.get_or_insert(Outcome { status, headers, is_json, body: response.into_body().to_vec() });
                Answer::Replied
            }
            Err(fault) => Answer::Failed(fault),
        },
        Ask::Script { .. } => Answer::Script(ScriptEvent::Rest),
        Ask::Evaluate { .. }
        | Ask::Read(_)
        | Ask::Write(..)
        | Ask::Wait { .. }
        | Ask::Mint(_)
        | Ask::Verify(_)
        | Ask::Hold { .. }
        | Ask::Password(_)
        | Ask::ReadFile(_) => panic!("no node of these flows asks for {ask:?}"),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|kind| kind == "application/json")
}

/// Claims are one JSON object, whatever was filled into them.
fn sealed(request: &SealRequest) -> Answer {
    let claims = std::str::from_utf8(&request.claims).expect("claims are UTF-8");
    let read = Json::parse(claims.as_bytes(), Limits::CLAIMS).expect("claims are JSON, no member twice");
    assert!(read.as_object().is_some(), "claims are an object");
    let token = "eyJhbGciOiJIUzI1NiJ9.e30.AA";
    let known = Known { claims: claims.into(), signed: Some(token.into()), key: None };
    Answer::Sealed { token: token.into(), warnings: Vec::new(), known: Some(Box::new(known)) }
}

/// A message whose texts are this one.
fn message(text: &str) -> Value {
    let list = Value::list(vec![Value::text(text), Value::integer(1), Value::Null]);
    let inner = Value::map([("id", Value::text(text)), ("roles", list.clone()), ("n", Value::integer(7))]);
    let request = Value::map([("body", inner.clone()), ("method", Value::text("GET"))]);
    let flow = Value::map([("id", Value::text("f")), ("issuer", Value::text("i")), ("request", request)]);
    Value::map([("flow", flow), ("user", inner), ("v", Value::text(text)), ("list", list), ("none", Value::Null)])
}

/// What stays of a body of JSON when its texts are forgotten.
fn shape(body: &[u8]) -> Json {
    fn forget(value: &mut Json) {
        match value {
            Json::Text(text) => text.clear(),
            Json::Array(items) => items.iter_mut().for_each(forget),
            Json::Object(object) => {
                let members: Vec<_> = object.iter().map(|(name, member)| (name.to_owned(), member.clone())).collect();
                for (name, mut member) in members {
                    forget(&mut member);
                    object.insert(name, member);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    // A literal of its 32 levels may be filled with a value that has some.
    let limits = Limits { depth: 2 * Limits::CLAIMS.depth, ..Limits::CLAIMS };
    let mut value = Json::parse(body, limits).expect("a body of JSON is JSON");
    forget(&mut value);
    value
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    jose::json::write_text(&mut out, text);
    String::from_utf8(out).expect("the writer writes UTF-8")
}
