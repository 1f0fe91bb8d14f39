//! `parse`, `json-to-xml`, `xml-to-json`: what stands in a body becomes an object or a text (section 10).

use jose::json::Limits;
use plan::{Expr, Fault, FaultKind, Function, JsonRules, NodeIx, Op, Path, Severity, ShapeStep, Value, read_json};

use crate::api_connect::lower::{Lowering, Step};
use crate::api_connect::name::path;
use crate::api_connect::values::property_error;
use crate::api_connect::xml::badgerfish::{self, Form, Names};

const PARSED: Function = Function { name: "parsed", run: parsed };
const XML: Function = Function { name: "xml", run: to_xml };
const STRICT: Function = Function { name: "badgerfish", run: strict };
const RELAXED: Function = Function { name: "relaxed", run: relaxed };

pub(super) fn lower_parse(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    let known = ["title", "description", "version", "input", "output", "parse-settings-reference", "warn-on-empty"];
    lowering.tell_unknown(step, &known);
    converted(lowering, step, (PARSED, Vec::new()), None, next)
}

pub(super) fn lower_json_to_xml(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    let known = [
        "title",
        "description",
        "version",
        "input",
        "output",
        "root-xml-element-name",
        "always-output-root-element",
        "unnamed-element-name",
        "conversionType",
    ];
    lowering.tell_unknown(step, &known);
    let name = |property: &str, usual: &str| {
        Expr::Literal(Value::text(step.block.text(property).unwrap_or_else(|| usual.to_owned())))
    };
    let names = vec![name("root-xml-element-name", "json"), name("unnamed-element-name", "element")];
    form(lowering, step);
    converted(lowering, step, (XML, names), Some("application/xml"), next)
}

pub(super) fn lower_xml_to_json(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "input", "output", "conversionType"]);
    let function = match form(lowering, step) {
        Form::Strict => STRICT,
        Form::Relaxed => RELAXED,
    };
    converted(lowering, step, (function, Vec::new()), Some("application/json"), next)
}

fn form(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Form {
    let written = step.block.text("conversionType").unwrap_or_default();
    match written.to_lowercase().as_str() {
        // Of `apicv5` no rules are published; what v5's own manual describes is BadgerFish.
        "" | "badgerfish" | "apicv5" => Form::Strict,
        "relaxed" | "relaxedbadgerfish" => Form::Relaxed,
        _ => {
            let at = step.block.get("conversionType").unwrap_or_else(|| step.block.clone());
            let message = format!("`conversionType` is `{written}`; BadgerFish is taken in its place.");
            let hint = "Write `badgerFish`, `relaxed` or `apicv5`.";
            lowering.tell(Severity::Warning, "conversion_unknown", (&at, step.kind), message, hint);
            Form::Strict
        }
    }
}

/// Writes what the function makes of the input to the output, and the media type of a body that changes its own.
fn converted(
    lowering: &mut Lowering<'_>,
    step: &Step<'_>,
    (function, more): (Function, Vec<Expr>),
    kind: Option<&str>,
    next: NodeIx,
) -> NodeIx {
    let place = |property: &str| step.block.text(property).map(|name| body_of(&name));
    let from = place("input").unwrap_or_else(|| path("message.body"));
    let to = place("output").unwrap_or_else(|| from.clone());
    let value = Expr::Applied { function, to: std::iter::once(Expr::Message(from)).chain(more).collect() };
    let otherwise = Box::new(property_error("the output stands below a variable that holds a value of its own"));
    let mut steps = vec![ShapeStep::Place { to: to.clone(), value, otherwise: otherwise.clone() }];
    if let Some(kind) = kind.filter(|_| to == path("message.body")) {
        let value = Expr::Literal(Value::text(kind));
        steps.push(ShapeStep::Place { to: path("message.headers.content-type"), value, otherwise });
    }
    lowering.step(step, Op::Assign(steps), next)
}

/// The body of a message that a name stands for, or the variable itself if it names one within.
fn body_of(name: &str) -> Path {
    if name.contains('.') { path(name) } else { path(&format!("{name}.body")) }
}

fn parsed(arguments: &[Value]) -> Result<Value, Fault> {
    let text = text(arguments.first())?;
    let Some(text) = text else { return Ok(arguments.first().cloned().unwrap_or_default()) };
    if text.trim_start().starts_with('<') {
        badgerfish::read(&text, Form::Strict).map_err(|why| unfit(&format!("the body is no XML: {why}")))?;
        return Ok(Value::text(text));
    }
    let read = read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact);
    read.map_err(|error| unfit(&format!("the body is no JSON: {}", error.kind)))
}

fn to_xml(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, root, item] = arguments else { return Ok(Value::Undefined) };
    let value = parsed(std::slice::from_ref(value))?;
    let names = Names { root: root.as_text().unwrap_or_default(), item: item.as_text().unwrap_or_default() };
    badgerfish::write(&value, &names).map(Value::text).map_err(|why| unfit(&format!("the body cannot be XML: {why}")))
}

fn strict(arguments: &[Value]) -> Result<Value, Fault> {
    to_json(arguments, Form::Strict)
}

fn relaxed(arguments: &[Value]) -> Result<Value, Fault> {
    to_json(arguments, Form::Relaxed)
}

fn to_json(arguments: &[Value], form: Form) -> Result<Value, Fault> {
    let text = text(arguments.first())?.ok_or_else(|| unfit("the body is no XML but an object"))?;
    badgerfish::read(&text, form).map_err(|why| unfit(&format!("the body is no XML: {why}")))
}

/// The text of a body; none if it is an object already.
fn text(body: Option<&Value>) -> Result<Option<String>, Fault> {
    match body.unwrap_or(&Value::Undefined) {
        Value::Text(text) => Ok(Some(text.to_string())),
        Value::Bytes(octets) => match std::str::from_utf8(octets) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(unfit("the body is no text")),
        },
        Value::Undefined => Err(unfit("there is no body")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => Ok(None),
        Value::Date(_) | Value::Handle(_) | Value::Unencodable(_) => Err(unfit("the body is no text")),
    }
}

fn unfit(why: &str) -> Fault {
    Fault::new(FaultKind::ValueUnfit, why).with_code("RuntimeError")
}
