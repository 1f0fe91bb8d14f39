//! Orchestration documents as they are read: what is refused with its place, and that schema, contract and nodes agree.
//!
//! `CHANCERY_GOLDENS=write cargo test -p dialects --test orchestration` writes the schema anew.

#![allow(clippy::disallowed_methods, reason = "the schema and the contract are files")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dialects::orchestration::{self, LowerSettings, Lowered};
use plan::Diagnostic;
use serde_json::{Value, json};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn lowered(document: &Value) -> Result<Lowered, Vec<Diagnostic>> {
    let lowered = orchestration::lower("f", document.to_string().as_bytes(), &LowerSettings { host: "localhost" })?;
    plan::validate(lowered.flow.clone()).expect("what a dialect lowers is valid");
    Ok(lowered)
}

/// A flow of these nodes behind its start, the first of which has the id `g`.
fn flow(nodes: &[Value]) -> Value {
    let mut all = vec![json!({"id": "s", "type": "start", "exits": {"Next": "g"}})];
    all.extend_from_slice(nodes);
    json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API",
        "trigger": {"type": "api", "method": "GET", "path": "/f", "authentication": "none"}, "nodes": all,
    })
}

fn generator(config: Value) -> Value {
    json!({"id": "g", "type": "jwt-generator", "name": "G", "config": config, "exits": {"True": "e", "Failure": "e"}})
}

fn end() -> Value {
    json!({"id": "e", "type": "end-success"})
}

/// What is told of a document, as `code pointer`.
fn told(document: &Value) -> Vec<String> {
    let told = match lowered(document) {
        Ok(lowered) => lowered.diagnostics,
        Err(told) => told,
    };
    told.iter().map(|told| format!("{} {}", told.code, told.place.pointer)).collect()
}

fn schema() -> Value {
    let mut text = Vec::new();
    jose::json::write_value(&mut text, &orchestration::schema());
    serde_json::from_slice(&text).unwrap()
}

/// Every field below this schema, by its way.
fn fields(schema: &Value, way: &str, found: &mut BTreeSet<String>) {
    let Some(members) = schema["properties"].as_object() else {
        if let Some(rows) = schema["items"]["properties"].as_object() {
            found.extend(rows.keys().map(|name| format!("{way}[]/{name}")));
        }
        found.insert(way.to_owned());
        return;
    };
    for (name, member) in members {
        fields(member, &if way.is_empty() { name.clone() } else { format!("{way}/{name}") }, found);
    }
}

/// The fields that the tables of the contract's sections 2 to 5 name.
fn contract() -> BTreeSet<String> {
    let text = fs::read_to_string(file("docs/contracts/jwt-generator.md")).unwrap();
    let mut found = BTreeSet::new();
    for (section, below) in [("## 2.", ""), ("## 3.", "signature/"), ("## 4.", "encryption/"), ("## 5.", "save/")] {
        let (_, behind) = text.split_once(section).unwrap();
        let section = behind.split("\n## ").next().unwrap();
        for line in section.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() >= 6) {
            let Some(name) = line.split('|').nth(2).and_then(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`'))
            else {
                continue;
            };
            let names = match name.split_once('{') {
                None => vec![name.to_owned()],
                Some((before, names)) => {
                    names.trim_end_matches('}').split(',').map(|name| format!("{before}{name}")).collect()
                }
            };
            found.extend(names.into_iter().map(|name| format!("{below}{}", name.trim_end_matches("[]"))));
        }
    }
    found
}

/// JG-02: the nodes' own description, the schema that is shipped and the contract's tables name the same fields.
#[test]
fn descriptor_schema_and_contract_name_the_same_fields() {
    let (path, made) = (file("docs/schemas/orchestration-1.schema.json"), schema());
    if std::env::var("CHANCERY_GOLDENS").as_deref() == Ok("write") {
        fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let shipped: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(shipped, made, "write it anew with CHANCERY_GOLDENS=write");
    let nodes = made["properties"]["nodes"]["items"]["anyOf"].as_array().unwrap();
    let node = nodes.iter().find(|node| node["properties"]["type"]["const"] == "jwt-generator").unwrap();
    let mut described = BTreeSet::new();
    fields(&node["properties"]["config"], "", &mut described);
    assert_eq!(described, contract());
    assert!(described.len() > 40);
}

/// JG-02: each field that a node describes is one that it reads.
#[test]
fn every_described_field_is_read() {
    let schema = schema();
    for node in schema["properties"]["nodes"]["items"]["anyOf"].as_array().unwrap() {
        let kind = node["properties"]["type"]["const"].as_str().unwrap();
        let mut described = BTreeSet::new();
        fields(&node["properties"]["config"], "", &mut described);
        for field in described.iter().filter(|field| !field.contains("[]")) {
            let wrong = field.rsplit('/').fold(json!(null), |inner, name| json!({name: inner}));
            let told = told(&flow(&[json!({"id": "g", "type": kind, "config": wrong}), end()]));
            let pointer = format!("/nodes/1/config/{field}");
            assert!(
                told.iter().any(|told| told.ends_with(&pointer) && !told.starts_with("member_unknown")),
                "{kind} {field}: {told:?}"
            );
        }
    }
}

/// JG-52: unknown members and types, exits that lead nowhere and nodes twice are refused with their pointers.
#[test]
fn what_is_unknown_is_refused_with_its_place() {
    let mut document = flow(&[generator(json!({"ttl": 5, "tlt": 5})), end()]);
    assert_eq!(told(&document), ["member_unknown /nodes/1/config/tlt"]);
    document["nodes"][1]["config"] = json!({});
    document["colour"] = json!("red");
    assert_eq!(told(&document), ["member_unknown /colour"]);
    document = flow(&[json!({"id": "g", "type": "jwt-forger"}), end()]);
    assert_eq!(told(&document), ["type_unknown /nodes/1/type"]);
    document = flow(&[generator(json!({})), end()]);
    document["nodes"][1]["exits"] = json!({"True": "nowhere", "Failure": "e", "Maybe": "e"});
    assert_eq!(told(&document), ["exit_unknown /nodes/1/exits/Maybe", "exit_dangling /nodes/1/exits/True"]);
    document["nodes"][1] = json!({"id": "s", "type": "end-success"});
    assert!(told(&document).contains(&"id_repeated /nodes/1/id".to_owned()));
    document = flow(&[end()]);
    document["nodes"][0] = json!({"id": "g", "type": "end-success"});
    assert_eq!(told(&document)[0], "start_missing /nodes");
    let broken = orchestration::lower("f", b"{\"format\":\"chancery.orchestration/1\",", &LowerSettings { host: "h" });
    assert_eq!(broken.unwrap_err()[0].code, "document_invalid");
}

/// Library flows are found by their ids, and those that nothing calls are told of.
#[test]
fn library_flows_have_ids_of_their_own() {
    let library = |id: &str| json!({"id": id, "category": "Library", "nodes": [{"id": "s", "type": "start", "exits": {"Next": "e"}}, end()]});
    let call =
        json!({"id": "g", "type": "library-flow", "config": {"flow": "a"}, "exits": {"Success": "e", "Failure": "e"}});
    let mut document = flow(&[call, end()]);
    document["libraries"] = json!([library("a"), library("b")]);
    assert_eq!(told(&document), ["library_unused /libraries/1/id"]);
    document["libraries"] = json!([library("a"), library("a")]);
    assert_eq!(told(&document), ["id_repeated /libraries/1/id"]);
    document["libraries"] = json!([library("a")]);
    assert_eq!(told(&document), [""; 0]);
}

/// JG-40: names of variables.
#[test]
fn names_of_variables_are_checked() {
    let document = |name: &str| flow(&[generator(json!({"save": {"variable": name}})), end()]);
    for name in ["my-token", "jeton_é", "a", &"n".repeat(64)] {
        assert_eq!(told(&document(name)), Vec::<String>::new(), "{name}");
    }
    for name in ["", "a b", "a.b", "a{b", "a]", "flow", "user", "env", "a\nb", &"n".repeat(65)] {
        assert_eq!(told(&document(name)), ["value_illegal /nodes/1/config/save/variable"], "{name:?}");
    }
}

/// JG-45: 200 rows and 32 levels are taken, 201 and 33 are not.
#[test]
fn rows_and_levels_are_bounded() {
    let rows = |count: usize| {
        let rows: Vec<_> = (0..count).map(|at| json!({"key": format!("k{at}"), "value": "v"})).collect();
        told(&flow(&[generator(json!({"claims": {"custom": rows}})), end()]))
    };
    assert_eq!(rows(200), Vec::<String>::new());
    assert_eq!(rows(201), ["list_too_long /nodes/1/config/claims/custom"]);
    let levels = |count: usize| {
        let value = format!("{}{}", "[".repeat(count), "]".repeat(count));
        let custom = json!([{"key": "k", "value": value, "type": "Array"}]);
        told(&flow(&[generator(json!({"claims": {"custom": custom}})), end()]))
    };
    assert_eq!(levels(32), Vec::<String>::new());
    assert_eq!(levels(33), ["claim.type /nodes/1/config/claims/custom/0/value"]);
}

/// JG-47 (part): exits that lead nowhere are told.
#[test]
fn unconnected_exits_are_told() {
    let mut document = flow(&[generator(json!({}))]);
    document["nodes"][1]["exits"] = json!({});
    assert_eq!(told(&document), ["exit_unconnected /nodes/1/exits"; 2]);
}

/// JG-01 (part): the node has one input, the outputs True and Failure, and runs in flows of all eight categories.
#[test]
fn the_node_is_there_in_every_category() {
    let categories = schema()["properties"]["category"]["enum"].as_array().unwrap().clone();
    assert_eq!(categories.len(), 8);
    for category in categories {
        let mut document = flow(&[generator(json!({})), end()]);
        document["category"] = category.clone();
        if category != "API" {
            document.as_object_mut().unwrap().remove("trigger");
        }
        let lowered = lowered(&document).unwrap();
        assert_eq!(lowered.endpoint.is_some(), category == "API");
    }
}

/// Each document of `examples/orchestration` is one that deploys without a word but for secrets.
#[test]
fn examples_are_read() {
    let mut count = 0;
    for entry in fs::read_dir(file("examples/orchestration")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            assert_eq!(told(&document), Vec::<String>::new(), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 0);
}
