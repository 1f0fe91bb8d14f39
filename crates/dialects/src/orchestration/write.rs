//! A wish for tokens, written as a flow.

use jose::json::{Value as Json, write_text, write_value};

use super::{TEXT_TYPE, syntax::FORMAT};
use crate::intent::{Answer, Callers, Change, Intent, Page, Sent, Shape, json_of, list, object, text};
use crate::minting::Part;
use crate::token_form::{config, escaped, kept, variable};

/// The token, where its value stands.
const TOKEN: &str = "{{jwt.token}}";

/// Writes it.
///
/// # Errors
/// What a flow cannot say.
pub(crate) fn write(intent: &Intent) -> Result<Page, Vec<Change>> {
    let (config, keys) = config(intent, spelled)?;
    let id: String =
        intent.name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c)).take(128).collect();
    let id = if id.is_empty() { "flow".to_owned() } else { id };
    let needs_key = intent.call.callers == Callers::Key;
    let authentication = if needs_key { "api-key" } else { "none" };
    let trigger = object([
        ("type", text("api")),
        ("method", text(&intent.call.method)),
        ("path", text(intent.call.url.written("{", "}"))),
        ("authentication", text(authentication)),
    ]);
    let exits = |exits: &[(&'static str, &str)]| object(exits.iter().map(|(name, to)| (*name, text(to))));
    let nodes = [
        object([("id", text("s")), ("type", text("start")), ("exits", exits(&[("Next", "g")]))]),
        object([
            ("id", text("g")),
            ("type", text("jwt-generator")),
            ("config", config),
            ("exits", exits(&[("True", "e"), ("Failure", "x")])),
        ]),
        object([("id", text("e")), ("type", text("end-success")), ("config", answered(&intent.answer)?)]),
        object([("id", text("x")), ("type", text("end-failure")), ("config", failed())]),
    ];
    let root = object([
        ("format", text(FORMAT)),
        ("id", text(&id)),
        ("category", text("API")),
        ("trigger", trigger),
        ("nodes", list(nodes)),
    ]);
    let mut notes: Vec<_> = keys
        .iter()
        .map(|field| Change::new("key", format!("Give it with `chancery secret set {id}/g {field}`.")))
        .collect();
    if needs_key {
        notes.push(Change::new("callers", format!("Give their key with `chancery secret set {id} apiKey`.")));
    }
    Ok(Page::new(root, notes))
}

/// The variable of what a caller sends.
fn spelled(sent: &Sent, _is_get: bool) -> Option<String> {
    let root = match sent.part {
        Part::Body => "flow.request.body",
        Part::Query => "flow.request.query",
        Part::Headers => "flow.request.headers",
        Part::Parameters => "flow.request.params",
        Part::Cookies => "flow.request.cookies",
        Part::Method => "flow.request.method",
        Part::Path => "flow.request.path",
        Part::Payload => return None,
    };
    variable(root, &sent.way.0)
}

fn answered(answer: &Answer) -> Result<Json, Vec<Change>> {
    let mut members = Vec::new();
    let body = if answer.is_json {
        Some(("json", json(&answer.body)?))
    } else {
        plain(&answer.body)?.map(|body| ("text", body))
    };
    members.extend(body.map(|(form, body)| ("body", object([(form, text(body))]))));
    if answer.status != 200 {
        members.push(("status", Json::Number(answer.status.to_string())));
    }
    let is_usual = |name: &str, value: &str| name == "content-type" && value == TEXT_TYPE;
    let headers = answer.headers.iter().filter(|(name, value)| !is_usual(name, value));
    let headers: Vec<_> =
        headers.map(|(name, value)| object([("name", text(name)), ("value", text(escaped(value)))])).collect();
    if !headers.is_empty() {
        members.push(("headers", list(headers)));
    }
    Ok(object(members))
}

/// The body of a text; none for an empty one.
fn plain(body: &Shape) -> Result<Option<String>, Vec<Change>> {
    match body {
        Shape::Token(prefix) => Ok(Some(format!("{}{TOKEN}", escaped(prefix)))),
        Shape::Constant(value) if value.is_undefined() => Ok(None),
        Shape::Constant(value) => match value.as_text() {
            Some(text) => Ok(Some(escaped(text))),
            None => Err(vec![Change::new("answer", "Its body is neither text nor JSON.")]),
        },
        Shape::Map(_) | Shape::List(_) => Err(vec![Change::new("answer", "Its body is no text.")]),
    }
}

/// The body as a JSON literal.
fn json(body: &Shape) -> Result<String, Vec<Change>> {
    let mut out = Vec::new();
    literal(&mut out, body)?;
    Ok(String::from_utf8(out).expect("the JSON writer writes UTF-8"))
}

fn literal(out: &mut Vec<u8>, shape: &Shape) -> Result<(), Vec<Change>> {
    match shape {
        Shape::Token(prefix) if prefix.is_empty() => out.extend(TOKEN.as_bytes()),
        Shape::Token(prefix) => write_text(out, &format!("{}{TOKEN}", escaped(prefix))),
        Shape::Constant(value) => {
            let json =
                json_of(&kept(value)).ok_or_else(|| vec![Change::new("answer", "Its body holds what JSON cannot.")])?;
            let mut constant = Vec::new();
            write_value(&mut constant, &json);
            out.extend(constant);
        }
        Shape::Map(members) => {
            out.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                out.extend(if index > 0 { &b", "[..] } else { b"" });
                write_text(out, name);
                out.extend(b": ");
                literal(out, member)?;
            }
            out.push(b'}');
        }
        Shape::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend(if index > 0 { &b", "[..] } else { b"" });
                literal(out, item)?;
            }
            out.push(b']');
        }
    }
    Ok(())
}

fn failed() -> Json {
    object([("body", object([("json", text("{\"error\": {{flow.error.message}}}"))]))])
}
