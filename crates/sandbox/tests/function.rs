//! What function nodes say: sections 9, 10 and 12 of the Node-RED contract.
mod support;

use plan::{FaultKind, LogLevel, ScriptEvent, Value};
use support::{call, fault, function, json, member, message, payload, pool, run, run_on, sends};

fn sent(events: &[ScriptEvent]) -> Vec<String> {
    let outputs = |event: &ScriptEvent| {
        let ScriptEvent::Send(outputs) = event else { panic!("only what was sent") };
        let shown = |messages: &Vec<Value>| {
            messages.iter().map(|message| json(&member(message, "payload"))).collect::<Vec<_>>().join(" ")
        };
        outputs.iter().map(shown).collect::<Vec<_>>().join(" | ")
    };
    sends(events).iter().map(outputs).collect()
}

#[tokio::test]
async fn a_returned_message_goes_over_output_0_and_the_call_is_done() {
    let events = run("msg.payload = 1; return msg;").await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(sent(&events), ["1"]);
    assert_eq!(events[1], ScriptEvent::Done(None));
}

#[tokio::test]
async fn a_list_is_what_goes_over_each_output() {
    assert_eq!(sent(&run("return [{payload: 1}, null, [{payload: 2}, null, {payload: 3}]];").await), ["1 |  | 2 3"]);
    assert_eq!(sent(&run("return null;").await), [""; 0]);
}

/// What makes new objects of itself without end is refused like anything that is too deep.
#[tokio::test]
async fn an_object_that_never_ends_is_refused() {
    let source =
        "class Endless { toJSON() { return {inner: new Endless()}; } } msg.payload = new Endless(); return msg;";
    let events = run(source).await;
    assert!(fault(&events).message.starts_with("RangeError"), "{events:?}");
}

/// NR-59: what is sent by `node.send(msg)` is as it was then; what is sent by `node.send(msg, false)` is still the
/// function's own.
#[tokio::test]
async fn node_send_copies_unless_told_not_to() {
    let later = "msg.payload = 'before'; node.send(msg{}); msg.payload = 'after';";
    assert_eq!(sent(&run(&later.replace("{}", "")).await), ["\"before\""]);
    assert_eq!(sent(&run(&later.replace("{}", ", true")).await), ["\"before\""]);
    assert_eq!(sent(&run(&later.replace("{}", ", false")).await), ["\"after\""]);
}

/// NR-58: whatever a function does to `_msgid`, the messages that it sends keep the one that came in.
#[tokio::test]
async fn the_message_id_is_restored() {
    for source in
        ["msg._msgid = 'other'; node.send(msg);", "node.send({_msgid: 1})", "delete msg._msgid; node.send([msg])"]
    {
        let events = run(source).await;
        let [ScriptEvent::Send(outputs)] = &sends(&events)[..] else { panic!("{events:?}") };
        assert_eq!(member(&outputs[0][0], "_msgid"), Value::text("0123456789abcdef"), "{source}");
    }
}

/// NR-58: a message that is returned without an id gets one of 16 hexadecimal digits.
#[tokio::test]
async fn a_returned_message_without_an_id_gets_one() {
    let events = run("delete msg._msgid; return msg;").await;
    let [ScriptEvent::Send(outputs)] = &sends(&events)[..] else { panic!("{events:?}") };
    let id = member(&outputs[0][0], "_msgid");
    assert!(
        id.as_text().is_some_and(|id| id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit())),
        "{id:?}"
    );
}

#[tokio::test]
async fn what_is_no_message_is_told_to_the_log_alone() {
    for (source, kind) in
        [("'x'", "string"), ("5", "number"), ("[[[1]]]", "Array"), ("Buffer.from('x')", "Buffer"), ("true", "boolean")]
    {
        let events = run(&format!("return {source};")).await;
        let text = format!("Function tried to send a message of type {kind}").as_str().into();
        assert_eq!(events, [ScriptEvent::Log { level: LogLevel::Error, text }, ScriptEvent::Done(None)]);
    }
}

/// Section 10: class and text, a stack, and the error itself for the message.
#[tokio::test]
async fn a_thrown_error_is_a_fault_with_its_class_and_place() {
    let events = run("const x = 1;\nthrow Object.assign(new TypeError('x'), {code: 'E_X', status: 418});").await;
    let fault = fault(&events);
    assert_eq!((fault.kind, &*fault.message), (FaultKind::Script, "TypeError: x"));
    assert_eq!(fault.code.as_deref(), Some("E_X"));
    assert!(fault.stack.as_deref().is_some_and(|stack| stack.contains("source:2:")), "{fault:?}");
    assert_eq!(json(&fault.thrown), r#"{"code":"E_X","status":418}"#);
    assert!(!events.contains(&ScriptEvent::Done(None)));
}

/// NR-61: text as it is, anything else as JSON, and no error in the message for either.
#[tokio::test]
async fn thrown_text_and_objects_and_reported_errors_are_told_as_they_are() {
    for (source, told) in [
        ("throw 'text'", "text"),
        ("throw {a: 1}", "{\"a\":1}"),
        ("throw [1, 2]", "[1,2]"),
        ("throw 7", "7"),
        ("node.error('reported', msg)", "reported"),
        ("node.error({a: 1}, msg)", "[object Object]"),
        ("node.error(new Error('x'), msg)", "Error: x"),
        ("node.done('failed')", "failed"),
    ] {
        let fault = fault(&run(source).await);
        assert_eq!((&*fault.message, fault.thrown), (told, Value::Undefined), "{source}");
    }
}

#[tokio::test]
async fn an_error_reported_without_a_message_is_only_logged() {
    let events = run("node.error('x'); node.warn({a: 1}); return msg;").await;
    let logged: Vec<_> = events
        .iter()
        .filter_map(|event| if let ScriptEvent::Log { level, text } = event { Some((*level, &**text)) } else { None })
        .collect();
    assert_eq!(logged, [(LogLevel::Error, "x"), (LogLevel::Warn, "{ a: 1 }")]);
    assert_eq!(sends(&events).len(), 1);
}

#[tokio::test]
async fn a_function_that_calls_done_ends_its_message_itself() {
    let ends = |events: &[ScriptEvent]| events.iter().filter(|event| **event == ScriptEvent::Done(None)).count();
    assert_eq!(ends(&run("if (msg.never) node.done(); return msg;").await), 0);
    assert_eq!(ends(&run("node.done();").await), 1);
    assert_eq!(ends(&run("// node.done();\nreturn msg;").await), 1);
}

/// NR-85: `await` at the top, and a rejection long after the call.
#[tokio::test]
async fn top_level_await_works_and_a_late_rejection_is_a_fault() {
    let events = run("msg.payload = await new Promise(done => setTimeout(done, 20, 'late')); return msg;").await;
    assert_eq!(payload(&events), Value::text("late"));
    let events = run("await new Promise(done => setTimeout(done, 20)); throw new Error('late');").await;
    assert_eq!(&*fault(&events).message, "Error: late");
}

/// NR-85: a message that comes while `initialize` runs waits for its end.
#[tokio::test]
async fn messages_wait_for_initialize() {
    let pool = pool();
    let mut script = function("msg.payload = globalThis.ready; return msg;");
    script.initialize = "await new Promise(done => setTimeout(done, 50)); globalThis.ready = 'ready';".into();
    let key = pool.register("document", &script);
    let begun = pool.begin(key).unwrap();
    let events = call(&pool, key).await;
    assert_eq!(payload(&events), Value::text("ready"));
    assert_eq!(support::listen(begun).await, []);
}

/// NR-86: synchronous work beyond the bound ends as a timeout, waiting does not.
#[tokio::test]
async fn an_endless_loop_is_ended_and_an_await_is_not() {
    let pool = pool();
    let mut script = function(
        "if (msg.loop) for (;;) { try { for (;;); } catch (_) {} }\nawait new Promise(done => setTimeout(done, 300)); return msg;",
    );
    script.cpu_ms = 1_000;
    let key = pool.register("document", &script);
    let looping = message(&[("loop", Value::Bool(true))]);
    let events = support::listen(pool.call(key, &looping, &plan::Cells::default())).await;
    assert_eq!(fault(&events).kind, FaultKind::ScriptTimeout);
    assert_eq!(sends(&call(&pool, key).await).len(), 1);
}

#[tokio::test]
async fn an_error_in_a_timer_is_a_fault_of_an_empty_message() {
    let events = run("setTimeout(() => { throw new Error('x') }, 1); return msg;").await;
    let ScriptEvent::Fault { fault, message } = events.last().unwrap() else { panic!("{events:?}") };
    assert_eq!((&*fault.message, message), ("Error: x", &Some(Value::map::<&str>([]))));
}

#[tokio::test]
async fn every_leaf_of_a_message_passes_through() {
    let all = Value::list(vec![
        Value::Undefined,
        Value::Null,
        Value::Bool(true),
        Value::integer(-9_007_199_254_740_991),
        Value::Number(plan::Number::Float(-0.0)),
        Value::Number(plan::Number::Float(f64::INFINITY)),
        Value::text("\u{1f600}\0"),
        Value::Bytes([0, 255][..].into()),
        Value::Date(plan::Date { epoch_ms: f64::NAN }),
        Value::Date(plan::Date { epoch_ms: 86_400_000.0 }),
        Value::map([("b", Value::list(vec![])), ("__proto__", Value::integer(1)), ("a", Value::Null)]),
        Value::Unencodable(plan::Unencodable::BigInt("123456789012345678901234567890".into())),
    ]);
    assert_eq!(payload(&run_on("return msg;", message(&[("payload", all.clone())])).await), all);
}

#[tokio::test]
async fn what_is_no_data_says_what_it_is() {
    use plan::Unencodable::{Circular, Function};
    let events = run("msg.payload = {f() {}, s: Symbol(), at: {}}; msg.payload.at.up = msg.payload; return msg;").await;
    let expected = Value::map([
        ("f", Value::Unencodable(Function)),
        ("s", Value::Unencodable(Function)),
        ("at", Value::map([("up", Value::Unencodable(Circular))])),
    ]);
    assert_eq!(payload(&events), expected);
}
