//! Typed inputs: what a value and its type in a document stand for (section 13). Shared by the nodes that have any.

use jose::json::{Limits, Value as Json};
use plan::ecmascript::number_of_text;
use plan::{Expr, Fault, FaultKind, JsonRules, Number, Root, Scope, Severity, Slot, Value, read_json};

use super::environment::reference;
use super::jsonata;
use super::lower::{Live, Lowering};
use super::property;
use super::syntax::Node;

/// The message of a fault whose node could not be lowered as it is written.
const HINT: &str = "Choose another type for the value, or repair it; until then each message is an error here.";

/// Why a typed input stands for nothing here. It is told at deploy, and raised for each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// The code of the diagnostic.
    pub(super) code: &'static str,
    /// One sentence.
    pub(super) message: String,
}

impl Unfit {
    /// A value that cannot be read as its type.
    pub(super) fn value(message: String) -> Self {
        Self { code: "value_invalid", message }
    }

    /// Tells the author, at a property of the node, and gives what each message raises.
    pub(super) fn tell(self, lowering: &mut Lowering<'_>, node: &Node, property: &str) -> Box<Fault> {
        lowering.tell(Severity::Warning, self.code, node.spot_of(property), self.message.as_str(), HINT);
        Box::new(Fault::new(FaultKind::Configuration, self.message))
    }
}

/// What a typed input is worth for each message.
///
/// # Errors
///
/// [`Unfit`], if it stands for nothing here.
pub(super) fn expr(lowering: &Lowering<'_>, node: &Node, kind: &str, value: Option<&Json>) -> Result<Expr, Unfit> {
    let text = text(value);
    match kind {
        "msg" | "flow" | "global" => slot(node, kind, &text).map(Expr::Slot),
        "date" => date(&text),
        _ => constant(lowering, node, kind, value).map(Expr::Literal),
    }
}

/// The place in the message that the node's `property` names; `payload` if it names none.
///
/// # Errors
///
/// [`Unfit`], if it is no path.
pub(super) fn place(node: &Node) -> Result<Slot, Unfit> {
    let property = Some(node.text("property")).filter(|text| !text.is_empty()).unwrap_or("payload");
    slot(node, "msg", property)
}

/// As [`expr`], for nodes that can wait for what an expression in JSONata makes of the message.
///
/// # Errors
///
/// As [`expr`].
pub(super) fn expr_or_jsonata(
    lowering: &mut Lowering<'_>,
    live: &Live,
    kind: &str,
    value: Option<&Json>,
) -> Result<Expr, Unfit> {
    if kind == "jsonata" {
        return Ok(jsonata::expr(lowering, live, &text(value)));
    }
    expr(lowering, &live.node, kind, value)
}

/// A place that a property names, in the message or among the variables.
///
/// # Errors
///
/// [`Unfit`], if it is no path.
pub(super) fn slot(node: &Node, kind: &str, text: &str) -> Result<Slot, Unfit> {
    let (root, path) = match kind {
        "flow" => (Root::Cell(Scope::Section(node.section.clone())), property::without_store(text)),
        "global" => (Root::Cell(Scope::Document), property::without_store(text)),
        _ => (Root::Message, text),
    };
    let way = property::way(path).ok_or_else(|| Unfit::value(format!("`{text}` is no path to a property.")))?;
    Ok(Slot { root, way })
}

/// What a typed input is worth that does not depend on the message.
///
/// # Errors
///
/// [`Unfit`], if it cannot be read as its type, or the type is not known.
pub(super) fn constant(lowering: &Lowering<'_>, node: &Node, kind: &str, value: Option<&Json>) -> Result<Value, Unfit> {
    let text = text(value);
    let invalid = |what| Unfit::value(format!("`{text}` is no {what}."));
    Ok(match kind {
        "" | "str" => Value::text(&text),
        "num" => Value::Number(number(&text)),
        "bool" => Value::Bool(text.eq_ignore_ascii_case("true")),
        "json" => json(&text).ok_or_else(|| invalid("JSON"))?,
        "bin" => octets(&text).ok_or_else(|| invalid("list of octets, nor a text in JSON"))?,
        "env" => variable(lowering, node, &text),
        "null" => Value::Null,
        "jsonata" => {
            let message = "Expressions in JSONata are not served at this place.".to_owned();
            return Err(Unfit { code: "jsonata_unsupported", message });
        }
        _ => {
            return Err(Unfit {
                code: "type_unknown",
                message: format!("Values of type `{kind}` are not known here."),
            });
        }
    })
}

/// The number that a text spells.
pub(super) fn number(text: &str) -> Number {
    match text.trim().parse::<i64>() {
        Ok(integer) if integer.unsigned_abs() < 1 << 53 => Number::Integer(integer),
        Ok(_) | Err(_) => Number::Float(number_of_text(text)),
    }
}

/// A property as text; numbers and booleans as JavaScript writes them.
pub(super) fn text(value: Option<&Json>) -> String {
    match value {
        Some(Json::Text(text) | Json::Number(text)) => text.clone(),
        Some(Json::Bool(value)) => value.to_string(),
        Some(value @ (Json::Array(_) | Json::Object(_))) => written(value),
        Some(Json::Null) | None => String::new(),
    }
}

fn date(text: &str) -> Result<Expr, Unfit> {
    match text {
        "" => Ok(Expr::Now),
        "iso" => Ok(Expr::NowText),
        "object" => Ok(Expr::NowDate),
        _ => Err(Unfit::value(format!("`{text}` is no form of the time that is known here."))),
    }
}

fn json(text: &str) -> Option<Value> {
    read_json(text.as_bytes(), Limits::DOCUMENT, JsonRules::Ecmascript).ok()
}

/// A list of numbers, each cut to an octet, or a text.
pub(super) fn octets(text: &str) -> Option<Value> {
    let octet = |item: &Json| (item.as_number()?.parse::<f64>().ok()? as i64 & 0xFF).try_into().ok();
    let octets = match Json::parse(text.as_bytes(), Limits::DOCUMENT).ok()? {
        Json::Text(text) => text.into_bytes(),
        Json::Array(items) => items.iter().map(|item| octet(item).unwrap_or(0)).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => return None,
    };
    Some(Value::Bytes(octets.into()))
}

/// A variable by its name, or a text with references to variables in it; unset ones are empty.
fn variable(lowering: &Lowering<'_>, node: &Node, name: &str) -> Value {
    let mut variables = lowering.variables(node);
    let name = reference(name).unwrap_or(name);
    if !name.contains("${") {
        return variables.remove(name).map_or_else(|| Value::text(""), |value| value_of(&value));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, (name, behind))) = rest.split_once("${").and_then(|(a, b)| Some((a, b.split_once('}')?))) {
        out.push_str(before);
        out.push_str(&text(variables.get(name)));
        rest = behind;
    }
    Value::Text((out + rest).into())
}

/// A value of the document as a message holds it.
pub(super) fn value_of(value: &Json) -> Value {
    json(&written(value)).unwrap_or_default()
}

fn written(value: &Json) -> String {
    let mut out = Vec::new();
    jose::json::write_value(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}
