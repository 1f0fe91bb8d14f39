//! The JSON Schema of flow documents (draft 2020-12), made of what the nodes say of themselves (section 8).

use jose::json::{Object, Value as Json};

use super::nodes::TYPES;
use super::syntax::{CATEGORIES, FORMAT};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The schema.
pub fn schema() -> Json {
    let flow = |own: &[(&str, Json)]| {
        let text = || of_type("string");
        let mut members = vec![
            ("id", text()),
            ("name", text()),
            ("category", one_of(CATEGORIES)),
            ("active", of_type("boolean")),
            ("description", text()),
            ("version", text()),
            ("tags", list_of(Json::Bool(true))),
            ("nodeTracking", of_type("string")),
            ("default", of_type("boolean")),
            ("keepIds", of_type("boolean")),
            ("trigger", trigger()),
            ("nodes", list_of(object(&[("anyOf", Json::Array(TYPES.iter().map(|kind| node(&kind.spec)).collect()))]))),
        ];
        members.extend(own.iter().cloned());
        closed(&members, &["id", "nodes"])
    };
    let own = [("format", object(&[("const", text(FORMAT))])), ("libraries", list_of(flow(&[])))];
    let Json::Object(mut schema) = flow(&own) else { return Json::Null };
    let _ = schema.insert("$schema".to_owned(), text("https://json-schema.org/draft/2020-12/schema"));
    let _ = schema.insert("title".to_owned(), text("An orchestration flow of Chancery"));
    Json::Object(schema)
}

fn trigger() -> Json {
    let members = [
        ("type", one_of(&["api"])),
        ("method", one_of(&["GET", "POST", "PUT", "PATCH", "DELETE"])),
        ("path", of_type("string")),
        ("authentication", one_of(&["api-key", "bearer", "none"])),
    ];
    closed(&members, &["path"])
}

fn node(spec: &NodeSpec) -> Json {
    let exits = match spec.outputs {
        Outputs::Labelled(labels) => {
            let members: Vec<_> = labels.iter().map(|label| (*label, of_type("string"))).collect();
            closed(&members, &[])
        }
        Outputs::Field(_) => object(&[("type", text("object")), ("additionalProperties", of_type("string"))]),
    };
    let fields: Vec<_> = spec.fields.iter().map(|field| (field.name, field)).collect();
    let members = [
        ("id", of_type("string")),
        ("type", object(&[("const", text(spec.kind))])),
        ("name", of_type("string")),
        ("config", config(&fields)),
        ("exits", exits),
        ("position", of_type("object")),
    ];
    closed(&members, &["id", "type"])
}

/// The object of these fields, each by its way from here.
fn config(fields: &[(&'static str, &FieldSpec)]) -> Json {
    let mut members: Vec<(&str, Json)> = Vec::new();
    for (way, field) in fields {
        match way.split_once('/') {
            None => members.push((way, value(field))),
            Some((name, _)) if members.iter().any(|(known, _)| known == &name) => {}
            Some((name, _)) => {
                let within =
                    fields.iter().filter_map(|(way, field)| Some((way.strip_prefix(name)?.strip_prefix('/')?, *field)));
                members.push((name, config(&within.collect::<Vec<_>>())));
            }
        }
    }
    closed(&members, &[])
}

fn value(field: &FieldSpec) -> Json {
    let Json::Object(mut schema) = shape(field.kind) else { return Json::Bool(true) };
    let _ = schema.insert("title".to_owned(), text(field.label));
    let _ = schema.insert("description".to_owned(), text(field.summary));
    Json::Object(schema)
}

fn shape(kind: FieldKind) -> Json {
    match kind {
        FieldKind::Text(_) | FieldKind::Script => object(&[("type", types(&["string", "object"]))]),
        FieldKind::Number(_) => object(&[("type", types(&["integer", "string"]))]),
        FieldKind::Flag(_) => of_type("boolean"),
        FieldKind::Choice(choices) => {
            let known: Vec<Json> = choices.iter().map(|(value, _)| text(value)).collect();
            let numbers = choices.iter().filter(|(value, _)| value.parse::<u32>().is_ok());
            let numbers = numbers.map(|(value, _)| Json::Number((*value).to_owned()));
            object(&[("enum", Json::Array(numbers.chain(known).collect()))])
        }
        FieldKind::Texts => list_of(of_type("string")),
        FieldKind::Several(choices) => list_of(one_of(choices)),
        FieldKind::Rows(members) => {
            let members: Vec<_> = members.iter().map(|name| (*name, Json::Bool(true))).collect();
            list_of(closed(&members, &[]))
        }
        FieldKind::Secret => object(&[("type", types(&["string", "object"]))]),
        FieldKind::Pairs | FieldKind::Nodes | FieldKind::Assignments | FieldKind::Config(_) => object(&[]),
    }
}

/// An object with these members and no others.
fn closed(members: &[(&str, Json)], required: &[&str]) -> Json {
    let mut schema =
        vec![("type", text("object")), ("properties", object(members)), ("additionalProperties", Json::Bool(false))];
    if !required.is_empty() {
        schema.push(("required", types(required)));
    }
    object(&schema)
}

fn list_of(items: Json) -> Json {
    object(&[("type", text("array")), ("items", items)])
}

fn one_of(values: &[&str]) -> Json {
    object(&[("enum", types(values))])
}

fn of_type(name: &str) -> Json {
    object(&[("type", text(name))])
}

fn types(names: &[&str]) -> Json {
    Json::Array(names.iter().map(|name| text(name)).collect())
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

fn object(members: &[(&str, Json)]) -> Json {
    let mut object = Object::new();
    for (name, value) in members {
        let _ = object.insert((*name).to_owned(), value.clone());
    }
    Json::Object(object)
}
