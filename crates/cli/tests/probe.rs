//! `chancery probe`: lines in, lines out.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery_in;
use serde_json::{Value, json};

/// What comes of these lines, in order.
fn probe(lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let ran = chancery_in(&[], &["probe"], &input);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn load(flows: Value) -> Value {
    json!({"id": 0, "do": "load", "document": {"flows": flows, "credentials": {}}, "environment": {"NAME": "seen"}})
}

#[test]
fn flows_are_loaded_fed_and_heard() {
    let flows = json!([
        {"id": "c", "type": "change", "rules": [{"t": "set", "p": "k", "pt": "flow", "to": "payload", "tot": "msg"}, {"t": "set", "p": "e", "to": "NAME", "tot": "env"}], "wires": [["d"]]},
        {"id": "d", "type": "debug", "active": true, "console": true, "complete": "true", "wires": []},
    ]);
    let answers = probe(&[
        load(flows),
        json!({"id": 1, "do": "receive", "node": "c", "message": {"payload": {"$": "bytes", "of": [7]}}}),
        json!({"id": 2, "do": "unload"}),
    ]);
    let [loaded, told, received, unloaded] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!([loaded, received, unloaded].map(|answer| &answer["answer"]), [&json!(0), &json!(1), &json!(2)]);
    assert_eq!(told["node"]["id"], "d");
    assert_eq!(told["value"], json!({"payload": {"$": "bytes", "of": [7]}, "e": "seen"}));
}

#[test]
fn variables_are_read_and_written_from_outside() {
    let node = json!([{"id": "c", "type": "comment"}]);
    let at = |id: u32, what: &str, more: Value| {
        let mut line = json!({"id": id, "do": what, "node": "c", "reach": "document", "path": ["a", 0]});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let answers = probe(&[
        load(node),
        at(1, "set", json!({"value": 7})),
        at(2, "get", json!({})),
        at(3, "keys", json!({})),
        at(4, "get", json!({"reach": "node"})),
    ]);
    let values: Vec<_> = answers[2..].iter().map(|answer| answer["value"].clone()).collect();
    assert_eq!(values, [json!(7), json!(["a"]), json!({"$": "undefined"})]);
}

/// A function says goodbye though no message ever came, and its variables are there to be looked at.
#[test]
fn a_function_that_was_never_called_is_finalized() {
    let body =
        json!({"id": "f", "type": "function", "func": "return msg;", "finalize": "global.set('said', node.id);"});
    let answers = probe(&[
        load(json!([body])),
        json!({"id": 1, "do": "unload"}),
        json!({"id": 2, "do": "get", "node": "f", "reach": "document", "path": ["said"]}),
    ]);
    assert_eq!(answers.last().unwrap()["value"], "f", "{answers:?}");
}

#[test]
fn what_cannot_be_done_is_refused_and_the_next_line_is_obeyed() {
    let refused = [
        json!({"id": 1, "do": "receive", "node": "c", "message": {}}),
        json!({"id": 2, "do": "nothing"}),
        json!({"id": 3}),
        json!({"id": 4, "do": "load", "document": "no flow"}),
    ];
    let mut lines = refused.to_vec();
    lines.extend([load(json!([{"id": "c", "type": "comment"}]))]);
    lines.extend([
        json!({"id": 5, "do": "receive", "node": "other", "message": {}}),
        json!({"id": 6, "do": "receive", "node": "c", "message": {}}),
        json!({"id": 7, "do": "receive", "node": "c", "message": {"$": "nothing"}}),
        json!({"id": 8, "do": "get", "node": "c", "reach": "world", "path": ["a"]}),
        json!({"id": 9, "do": "get", "node": "c", "reach": "node", "path": []}),
    ]);
    let answers = probe(&lines);
    assert_eq!(answers.len(), lines.len());
    for answer in answers.iter().filter(|answer| answer["answer"] != 0) {
        assert!(answer["refused"].is_string(), "{answer}");
    }
    assert_eq!(chancery_in(&[], &["probe"], "no line\n").code, 65);
}
