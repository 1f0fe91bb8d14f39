//! What must hold of whatever a Node-RED document, property path, template or credentials file says.
//!
//! The fuzzer calls these functions from its targets; `crates/server/tests/fuzz_replay.rs` calls them in every test run.

use std::collections::BTreeMap;

use dialects::node_red::{self, Credentials, LowerSettings, Lowered};
use engine::{Context, Run, Step};
use plan::{Answer, Ask, Cells, Handle, Map, ScriptEvent, TriggerIx, ValidFlow, Value, validate};

/// Asks that one run may open here: a flow that goes round and round is ended by the engine itself.
const ASKS_MAX: usize = 2_000;
const NOW: Context = Context { now_epoch_ms: 1_700_000_000_000, random: 1 };

/// A flow file is refused, or lowered to a valid flow; without its secrets it is still a flow file.
pub fn flow(input: &[u8]) {
    let _ = dialects::detect(input);
    let Some(lowered) = lower(input) else { return };
    let mut kept = Vec::new();
    let mut from = 0;
    for cut in &lowered.cuts {
        assert!(from <= cut.start && cut.start <= cut.end && cut.end <= input.len(), "cuts are in order");
        kept.extend_from_slice(&input[from..cut.start]);
        from = cut.end;
    }
    kept.extend_from_slice(&input[from..]);
    let secrets = lowered.secrets.len();
    let _ = plan::dump(&valid(lowered));
    if secrets > 0 || from > 0 {
        let again = lower(&kept).expect("a flow file without its secrets is a flow file");
        assert!(again.cuts.is_empty(), "nothing is left to cut");
    }
}

/// A property path leads a message through each node that takes one, and the run comes to rest.
pub fn path(text: &str) {
    let path = quoted(text);
    let document = format!(
        r#"[{{"id":"i","type":"http in","url":"/","method":"get","wires":[["c"]]}},
            {{"id":"c","type":"change","rules":[
                {{"t":"set","p":{path},"pt":"msg","to":{path},"tot":"msg"}},{{"t":"set","p":{path},"pt":"flow","to":{path},"tot":"global"}},
                {{"t":"change","p":{path},"pt":"msg","from":"a","fromt":"str","to":{path},"tot":"str"}},
                {{"t":"move","p":{path},"pt":"msg","to":"x","tot":"msg"}},{{"t":"move","p":"x","pt":"msg","to":{path},"tot":"msg"}},
                {{"t":"delete","p":{path},"pt":"msg"}}],"wires":[["s"]]}},
            {{"id":"s","type":"switch","property":{path},"propertyType":"msg","rules":[{{"t":"eq","v":{path},"vt":"msg"}},{{"t":"else"}}],
                "checkall":"true","wires":[["t"],["t"]]}},
            {{"id":"t","type":"template","field":{path},"fieldType":"msg","template":"x","wires":[["j"]]}},
            {{"id":"j","type":"json","property":{path},"wires":[["d"]]}},
            {{"id":"d","type":"debug","active":true,"console":true,"complete":{path},"targetType":"msg"}}]"#
    );
    run(&document);
}

/// A template is refused, or written with whatever the message holds.
pub fn template(text: &str) {
    let _ = plan::Template::parse(text);
    let template = quoted(text);
    for (output, syntax) in [("str", "mustache"), ("json", "mustache"), ("str", "plain")] {
        run(&format!(
            r#"[{{"id":"i","type":"http in","url":"/","method":"get","wires":[["t","u"]]}},
                {{"id":"t","type":"template","field":"payload","template":{template},"output":"{output}","syntax":"{syntax}","wires":[[]]}},
                {{"id":"u","type":"template","field":"payload","template":"","output":"{output}","syntax":"{syntax}","wires":[[]]}}]"#
        ));
    }
}

/// A credentials file is refused, or read, written under a secret and opened again.
pub fn credentials(input: &[u8]) {
    for secret in [None, Some("secret"), Some("")] {
        let Ok(read) = Credentials::read(input, secret) else { continue };
        let flow =
            br#"[{"id":"n","type":"jwt-config"},{"id":"b","type":"jwt sign","signvar":"payload","storetoken":"t"}]"#;
        let _ = read.secrets_of(flow);
        let written = read.write("another", [7; 16]).expect("what was read is written");
        let again = Credentials::read(written.as_bytes(), Some("another")).expect("what was written opens again");
        assert_eq!(again.write("another", [7; 16]).ok().as_ref(), Some(&written), "and holds the same");
        assert!(again.were_encrypted());
    }
}

fn lower(document: &[u8]) -> Option<Lowered> {
    let environment = BTreeMap::from([("A".to_owned(), "${B}".to_owned()), ("B".to_owned(), "$(A)".to_owned())]);
    node_red::lower("fuzz", document, &LowerSettings { environment: &environment, jwt_any_hmac: false }).ok()
}

fn valid(lowered: Lowered) -> ValidFlow {
    validate(lowered.flow).expect("what is lowered is valid")
}

fn run(document: &str) {
    let Some(lowered) = lower(document.as_bytes()) else { return };
    let flow = valid(lowered);
    let cells = Cells::new(vec![message(false), Map::new().into()]);
    let mut run = Run::start(&flow, TriggerIx(0), message(true), cells);
    for _ in 0..ASKS_MAX {
        match run.step(&NOW) {
            Step::Ask(id, ask) => {
                let last = answers(&ask).into_iter().try_for_each(|answer| run.answer(id, answer, &NOW));
                last.expect("each answer fits its ask");
            }
            Step::Told(_) => {}
            Step::Waiting => panic!("every ask was answered"),
            Step::Rest => return,
        }
    }
}

fn answers(ask: &Ask) -> Vec<Answer> {
    match ask {
        Ask::Read(_) => vec![Answer::Value(message(false))],
        Ask::Write(..) => vec![Answer::Written],
        Ask::Reply { .. } => vec![Answer::Replied],
        Ask::Wait { .. } => vec![Answer::Elapsed],
        Ask::Script { message, .. } => {
            vec![Answer::Script(ScriptEvent::Send(vec![vec![message.clone()]])), Answer::Script(ScriptEvent::Rest)]
        }
        Ask::Mint(_)
        | Ask::Verify(_)
        | Ask::Seal(_)
        | Ask::Open(_)
        | Ask::Fetch { .. }
        | Ask::Hold { .. }
        | Ask::Evaluate { .. }
        | Ask::Password(_)
        | Ask::ReadFile(_) => {
            panic!("no node of these flows asks for {ask:?}")
        }
    }
}

/// One member of each kind, and members that paths often name.
fn message(with_request: bool) -> Value {
    let list = Value::list(vec![Value::text("a"), Value::integer(1), Value::map([("b", Value::Null)])]);
    let inner = Value::map([("b", list.clone()), ("c d", Value::text("a a")), ("msg", Value::integer(0))]);
    let mut members = vec![
        ("payload", inner.clone()),
        ("topic", Value::text("payload")),
        ("template", Value::text("{{#payload.b}}{{.}}{{/payload.b}}")),
        ("a", list),
        ("bytes", Value::Bytes([1, 2].into())),
        ("date", Value::Date(plan::Date { epoch_ms: 0.0 })),
        ("n", Value::Number(plan::Number::Float(f64::NAN))),
        ("none", Value::Undefined),
        ("__proto__", inner),
    ];
    if with_request {
        members.extend([("req", Value::Handle(Handle(0))), ("res", Value::Handle(Handle(1)))]);
    }
    Value::map(members)
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    jose::json::write_text(&mut out, text);
    String::from_utf8(out).expect("the writer writes UTF-8")
}
