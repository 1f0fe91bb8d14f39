//! A wish for tokens, written as a tab with one way through it.

use jose::json::{Object, Value as Json};
use plan::{Segment, Text, Value};

use super::TEXT_TYPE;
use crate::intent::{Callers, Change, Intent, Page, Sent, json_of, list, object, text};
use crate::minting::Part;
use crate::token_form::{config, variable};

/// Where the generator saves the token.
const TOKEN: &str = "jwt.token";
const TAB: &str = "tab";

/// Writes it.
///
/// # Errors
/// What a tab cannot say.
pub(crate) fn write(intent: &Intent) -> Result<Page, Vec<Change>> {
    if intent.call.callers == Callers::Key {
        return Err(vec![Change::new("callers", "They need a key, and nothing in a tab would ask for it.")]);
    }
    let (config, keys) = config(intent, spelled)?;
    let answering = answering(intent)?;
    let mut nodes = vec![
        object([("id", text(TAB)), ("type", text("tab")), ("label", text(&intent.name))]),
        node(
            "in",
            "http in",
            "gen",
            [
                ("url", text(intent.call.url.written(":", ""))),
                ("method", text(intent.call.method.to_ascii_lowercase())),
            ],
        ),
        object([
            ("id", text("gen")),
            ("type", text("jwt-generator")),
            ("z", text(TAB)),
            ("name", text("")),
            ("config", config),
            ("wires", list([list([text("take0")]), list([text("fail")])])),
        ]),
    ];
    let last = answering.len() - 1;
    for (index, (kind, members)) in answering.into_iter().enumerate() {
        let next = if index == last { "out".to_owned() } else { format!("take{}", index + 1) };
        nodes.push(node(&format!("take{index}"), kind, &next, members));
    }
    nodes.push(node("fail", "change", "out", [("rules", list(failing()))]));
    nodes.push(object([
        ("id", text("out")),
        ("type", text("http response")),
        ("z", text(TAB)),
        ("headers", headers(&intent.answer.headers)),
        ("wires", list([])),
    ]));
    let here = Change::new("portability", "The node `jwt-generator` is no node of Node-RED itself: the tab runs here.");
    let keys =
        keys.into_iter().map(|field| Change::new("key", format!("Give it with `chancery secret set gen {field}`.")));
    Ok(Page::new(list(nodes), [here].into_iter().chain(keys).collect()))
}

/// The variable of what a caller sends.
fn spelled(sent: &Sent, is_get: bool) -> Option<String> {
    let root = match sent.part {
        Part::Body if is_get => "req.body",
        Part::Body => "payload",
        Part::Query if is_get => "payload",
        Part::Query => "req.query",
        Part::Headers => "req.headers",
        Part::Parameters => "req.params",
        Part::Cookies => "req.cookies",
        Part::Method => "req.method",
        Part::Path => "req.path",
        Part::Payload => return None,
    };
    variable(root, &sent.way.0)
}

type Members = Vec<(&'static str, Json)>;

/// The nodes that make the answer: the constants first, then the token in each of its places.
fn answering(intent: &Intent) -> Result<Vec<(&'static str, Members)>, Vec<Change>> {
    let answer = &intent.answer;
    let unsaid = |how: &str| vec![Change::new("answer", how)];
    let holes = answer.body.holes();
    let mut rules = Vec::new();
    if answer.status != 200 {
        rules.push(rule("statusCode", &answer.status.to_string(), "num"));
    }
    let is_bare = holes.iter().any(|(way, _)| way.is_empty());
    if !is_bare {
        let empty = answer.body.filled(&|_| Value::Null);
        match (&empty, empty.as_text()) {
            (Value::Undefined, _) => {
                rules.push(object([("t", text("delete")), ("p", text("payload")), ("pt", text("msg"))]));
            }
            (_, Some(plain)) => rules.push(rule("payload", plain, "str")),
            (_, None) => {
                let json = json_of(&empty).ok_or_else(|| unsaid("Its body holds what JSON cannot."))?;
                let mut out = Vec::new();
                jose::json::write_value(&mut out, &json);
                rules.push(rule("payload", &String::from_utf8_lossy(&out), "json"));
            }
        }
    }
    let mut templates = Vec::new();
    for (way, prefix) in &holes {
        let place = property(way).ok_or_else(|| unsaid("The way to the token in its body cannot be written."))?;
        if prefix.is_empty() {
            rules.push(rule(&place, TOKEN, "msg"));
        } else if prefix.contains("{{") {
            return Err(unsaid("Two braces stand before the token in its body."));
        } else {
            templates.push((
                "template",
                vec![
                    ("field", text(place)),
                    ("fieldType", text("msg")),
                    ("syntax", text("mustache")),
                    ("template", text(format!("{prefix}{{{{{{{TOKEN}}}}}}}"))),
                    ("output", text("str")),
                ],
            ));
        }
    }
    let change = (!rules.is_empty()).then(|| ("change", vec![("rules", list(rules))]));
    Ok(change.into_iter().chain(templates).collect())
}

fn rule(to: &str, value: &str, kind: &str) -> Json {
    let members = [("t", "set"), ("p", to), ("pt", "msg"), ("to", value), ("tot", kind)];
    object(members.map(|(name, value)| (name, text(value))))
}

fn failing() -> [Json; 2] {
    [rule("payload", "flow.error.message", "msg"), rule("statusCode", "500", "num")]
}

fn node(id: &str, kind: &str, next: &str, members: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    let head = [("id", text(id)), ("type", text(kind)), ("z", text(TAB))];
    let wires = ("wires", list([list([text(next)])]));
    object(head.into_iter().chain(members).chain([wires]))
}

/// A place below `msg.payload`; none if a name cannot be written.
fn property(way: &[Segment]) -> Option<String> {
    let mut written = "payload".to_owned();
    for segment in way {
        match segment {
            Segment::Index(index) => written.push_str(&format!("[{index}]")),
            Segment::Key(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty() => {
                written.extend([".", name]);
            }
            Segment::Key(name) if !name.contains(['"', '\'', '[', ']', '\\']) && !name.is_empty() => {
                written.push_str(&format!("[\"{name}\"]"));
            }
            Segment::Key(_) => return None,
        }
    }
    Some(written)
}

/// The headers of the answer, but for what a text has anyhow.
fn headers(headers: &[(Text, Text)]) -> Json {
    let mut object = Object::new();
    let usual = |name: &str, value: &str| name == "content-type" && value == TEXT_TYPE;
    for (name, value) in headers.iter().filter(|(name, value)| !usual(name, value)) {
        let _none = object.insert(name.to_string(), text(value));
    }
    Json::Object(object)
}
