//! What the vendor makes of values: the functions that assemblies are lowered to (sections 5 and 10).

use std::sync::Arc;

use jose::json::{Limits, Position};
use plan::ecmascript::text_of;
use plan::{Expr, Fault, FaultKind, Function, JsonRules, Value, read_json, write_json};

use super::lower::fault;
use super::policies::is_check;
use crate::minting::Meaning;

/// One text of the texts of its arguments: nothing for undefined, JSON for lists and maps.
const JOINED: Function = Function { name: "joined", run: joined };
/// The first argument as text, if it is a text, number or boolean; undefined for nothing. The second says whose value it is.
const PLAIN: Function = Function { name: "plain", run: plain };
/// What becomes `aud` of its arguments (RFC 7519 section 4.1.3): texts are split at commas, lists taken apart.
const AUDIENCE: Function = Function { name: "audience", run: audience };
/// Its argument if it is a map, or the map whose JSON text it is; undefined for nothing.
const CLAIMS: Function = Function { name: "claims", run: claims };
/// The first argument as a value of the type that the second names.
const TYPED: Function = Function { name: "typed", run: typed };
/// Its argument if that is the code of a status, as a number or a text.
const STATUS: Function = Function { name: "status", run: status };
/// Its argument, if it is a list, else a list of it; undefined for nothing.
const LISTED: Function = Function { name: "listed", run: listed };
/// The first argument, if it is anything; else a fault that says the second.
const REQUIRED: Function = Function { name: "required", run: required };
/// A list of the first argument and of the second behind it.
const APPENDED: Function = Function { name: "appended", run: appended };

/// Status codes that a reply may have.
const STATUS_CODES: std::ops::RangeInclusive<i64> = 100..=599;

/// The value, if it is the code of a status; else it is a `PropertyError`.
pub(super) fn status_of(value: Expr) -> Expr {
    Expr::Applied { function: STATUS, to: vec![value] }
}

/// The texts of these values behind each other.
pub(super) fn joined_of(parts: Vec<Expr>) -> Expr {
    Expr::Applied { function: JOINED, to: parts }
}

/// The value as text for this claim; an object or a list is a fault.
pub(super) fn plain_of(value: Expr, whose: &str) -> Expr {
    Expr::Applied { function: PLAIN, to: vec![value, Expr::Literal(Value::text(whose))] }
}

/// The audience that these values name.
pub(super) fn audience_of(values: Vec<Expr>) -> Expr {
    Expr::Applied { function: AUDIENCE, to: values }
}

/// The map of claims that the value is or writes.
pub(super) fn claims_of(value: Expr) -> Expr {
    Expr::Applied { function: CLAIMS, to: vec![value] }
}

/// The value as one of this type; what does not fit is a `PropertyError`.
pub(super) fn typed_of(value: Expr, kind: &str) -> Expr {
    Expr::Applied { function: TYPED, to: vec![value, Expr::Literal(Value::text(kind))] }
}

/// The value as a list.
pub(super) fn listed_of(value: Expr) -> Expr {
    Expr::Applied { function: LISTED, to: vec![value] }
}

/// The value; a fault that says why if there is none.
pub(super) fn required_of(value: Expr, why: &str) -> Expr {
    Expr::Applied { function: REQUIRED, to: vec![value, Expr::Literal(Value::text(why))] }
}

/// A list of what stands there and of one value more.
pub(super) fn appended_of(stood: Expr, value: Expr) -> Expr {
    Expr::Applied { function: APPENDED, to: vec![stood, value] }
}

/// What a function means for values that are not known yet.
pub(crate) fn meaning(function: &Function) -> Option<Meaning> {
    let table = [
        (JOINED, Meaning::Joined),
        (PLAIN, Meaning::Text),
        (TYPED, Meaning::Typed),
        (STATUS, Meaning::Same),
        (REQUIRED, Meaning::Required),
    ];
    let known = table.into_iter().find(|(known, _)| std::ptr::fn_addr_eq(known.run, function.run));
    known.map(|(_, meaning)| meaning).or_else(|| is_check(function).then_some(Meaning::Same))
}

/// A `PropertyError` (section 10).
pub(super) fn property_error(why: &str) -> Fault {
    fault("PropertyError", why, (500, "Internal Server Error"), "The request could not be completed.")
}

fn joined(values: &[Value]) -> Result<Value, Fault> {
    Ok(Value::Text(values.iter().map(shown).collect::<String>().into()))
}

fn plain(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, whose] = arguments else { return Ok(Value::Undefined) };
    match value {
        Value::Undefined | Value::Null => Ok(Value::Undefined),
        Value::Text(text) if text.is_empty() => Ok(Value::Undefined),
        Value::Text(_) => Ok(value.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(Value::text(text_of(value))),
        Value::Bytes(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => {
            let why = format!("{} holds an object or a list, no text", whose.as_text().unwrap_or_default());
            Err(Fault::new(FaultKind::ClaimsInvalid, why))
        }
    }
}

fn audience(values: &[Value]) -> Result<Value, Fault> {
    let mut names: Vec<Value> = Vec::new();
    for value in values {
        let one = std::slice::from_ref(value);
        let parts = if let Value::List(items) = value { items } else { one };
        parts.iter().for_each(|part| add_names(&mut names, part));
    }
    Ok(match names.len() {
        0 => Value::Undefined,
        1 => names.swap_remove(0),
        _ => Value::list(names),
    })
}

fn add_names(names: &mut Vec<Value>, value: &Value) {
    if !value.is_scalar() {
        return;
    }
    let text = text_of(value);
    names.extend(text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Value::text));
}

fn claims(arguments: &[Value]) -> Result<Value, Fault> {
    let value = arguments.first().unwrap_or(&Value::Undefined);
    let invalid = |why: String| Fault::new(FaultKind::ClaimsInvalid, why);
    match value {
        Value::Undefined | Value::Null => Ok(Value::Undefined),
        Value::Text(text) if text.trim().is_empty() => Ok(Value::Undefined),
        Value::Map(_) => Ok(value.clone()),
        Value::Text(text) => match read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact) {
            Ok(map @ Value::Map(_)) => Ok(map),
            Ok(_) => Err(invalid("the JSON is no object, in line 1, column 1".into())),
            Err(error) => {
                let Position { line, column } = error.position(text.as_bytes());
                Err(invalid(format!("the JSON is broken in line {line}, column {column}: {}", error.kind)))
            }
        },
        Value::Bool(_)
        | Value::Number(_)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => Err(invalid("they are neither an object nor JSON text, in line 1, column 1".into())),
    }
}

fn typed(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, kind] = arguments else { return Ok(Value::Undefined) };
    let kind = kind.as_text().unwrap_or_default();
    let parsed = |text: &str| read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact).ok();
    let fits = |value: &Value| match kind {
        "number" => matches!(value, Value::Number(_)),
        "boolean" => matches!(value, Value::Bool(_)),
        "array" => matches!(value, Value::List(_)),
        _ => matches!(value, Value::Map(_)),
    };
    let made = match value {
        Value::Undefined => Some(Value::Undefined),
        _ if kind == "string" => Some(Value::text(shown(value))),
        _ if fits(value) => Some(value.clone()),
        Value::Text(text) => parsed(text.trim()).filter(fits),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => None,
    };
    made.ok_or_else(|| property_error(&format!("the value is no {kind}")))
}

fn status(arguments: &[Value]) -> Result<Value, Fault> {
    let value = arguments.first().unwrap_or(&Value::Undefined);
    let number = plan::ecmascript::number_of(value);
    let is_scalar = matches!(value, Value::Text(_) | Value::Number(_));
    if is_scalar && number.fract() == 0.0 && STATUS_CODES.contains(&(number as i64)) {
        return Ok(value.clone());
    }
    Err(property_error(&format!("`message.status.code` would be `{}`, which is no status code", shown(value))))
}

fn listed(arguments: &[Value]) -> Result<Value, Fault> {
    let value = arguments.first().unwrap_or(&Value::Undefined);
    let is_done = value.is_undefined() || matches!(value, Value::List(_));
    Ok(if is_done { value.clone() } else { Value::list(vec![value.clone()]) })
}

fn required(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, why] = arguments else { return Ok(Value::Undefined) };
    if value.is_undefined() {
        return Err(Fault::new(FaultKind::ClaimsInvalid, why.as_text().unwrap_or_default()));
    }
    Ok(value.clone())
}

fn appended(arguments: &[Value]) -> Result<Value, Fault> {
    let [stood, value] = arguments else { return Ok(Value::Undefined) };
    if let Value::List(items) = stood {
        let mut items = Arc::clone(items);
        Arc::make_mut(&mut items).push(value.clone());
        return Ok(Value::List(items));
    }
    let first = (!stood.is_undefined()).then(|| stood.clone());
    Ok(Value::list(first.into_iter().chain([value.clone()]).collect()))
}

/// The value as a text shows it: nothing for undefined, JSON for lists and maps.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Undefined => String::new(),
        Value::List(_) | Value::Map(_) | Value::Null => {
            let mut out = Vec::new();
            let written = write_json(&mut out, value);
            if written == Ok(true) { String::from_utf8_lossy(&out).into_owned() } else { String::new() }
        }
        Value::Bytes(octets) => String::from_utf8_lossy(octets).into_owned(),
        Value::Text(text) => text.to_string(),
        Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::Handle(_) | Value::Unencodable(_) => text_of(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC-15, AC-16 (part), AC-17: one text stays a text; commas and lists make a list; a list of one is a text.
    #[test]
    fn an_audience_is_a_text_or_a_list() {
        let text = |text: &str| Value::text(text);
        let audience = |values: &[Value]| audience(values).unwrap();
        assert_eq!(audience(&[text("one")]), text("one"));
        assert_eq!(audience(&[text("x, y")]), Value::list(vec![text("x"), text("y")]));
        assert_eq!(audience(&[Value::list(vec![text("x")])]), text("x"));
        let mixed = [text(" a ,,"), Value::Undefined, Value::list(vec![text("b"), Value::Null, text("c,d")])];
        assert_eq!(audience(&mixed), Value::list(["a", "b", "c", "d"].map(Value::text).to_vec()));
        assert_eq!(audience(&[text(" , "), Value::Undefined]), Value::Undefined);
    }

    /// AC-23 (part): what is no object says where it stops being one.
    #[test]
    fn claims_come_as_maps_or_as_json() {
        let map = Value::map([("a", Value::integer(1))]);
        assert_eq!(claims(std::slice::from_ref(&map)), Ok(map.clone()));
        assert_eq!(claims(&[Value::text("{\"a\":1}")]), Ok(map));
        assert_eq!(claims(&[Value::text(" ")]), Ok(Value::Undefined));
        let told = |value: Value| claims(&[value]).unwrap_err().message.to_string();
        let broken = told(Value::text("{\"a\":\n  x}"));
        assert!(broken.contains("line 2, column 3"), "{broken}");
        assert!(told(Value::text("[1]")).contains("line 1, column 1"));
        assert!(claims(&[Value::integer(1)]).is_err());
    }

    #[test]
    fn a_value_is_made_fit_or_refused() {
        let typed = |value: Value, kind: &str| typed(&[value, Value::text(kind)]).ok();
        assert_eq!(typed(Value::text(" 12 "), "number"), Some(Value::integer(12)));
        assert_eq!(typed(Value::text("twelve"), "number"), None);
        assert_eq!(typed(Value::text(""), "number"), None);
        assert_eq!(typed(Value::integer(5), "string"), Some(Value::text("5")));
        assert_eq!(typed(Value::text("true"), "boolean"), Some(Value::Bool(true)));
        assert_eq!(typed(Value::integer(1), "boolean"), None);
    }

    #[test]
    fn a_status_is_a_code() {
        let status = |value: Value| status(&[value]).is_ok();
        assert!(status(Value::text("302")) && status(Value::integer(404)) && status(Value::text("100")));
        for value in [Value::text("600"), Value::text("ok"), Value::text(""), Value::Undefined, Value::Bool(true)] {
            assert!(!status(value));
        }
    }

    #[test]
    fn texts_are_joined_and_lists_grow() {
        let parts = [Value::text("a"), Value::Undefined, Value::map([("k", Value::integer(1))])];
        assert_eq!(joined(&parts), Ok(Value::text("a{\"k\":1}")));
        let grown = |stood: Value| appended(&[stood, Value::integer(2)]).unwrap();
        assert_eq!(grown(Value::Undefined), Value::list(vec![Value::integer(2)]));
        assert_eq!(grown(Value::integer(1)), Value::list(vec![Value::integer(1), Value::integer(2)]));
    }
}
