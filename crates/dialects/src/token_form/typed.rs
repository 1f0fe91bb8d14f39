//! Values of rows, converted to the type that their row names (contract section 7), and what RFC 7519 asks of registered
//! claims.

use jose::json::{Limits, write_number};
use plan::{Expr, Fault, FaultKind, Function, JsonRules, Number, Parts, Value, read_json};

use super::template::shown;
use super::who::fault_of;

/// The types of a row.
pub(crate) const TYPES: &[&str] = &["String", "Number", "Boolean", "Array", "Object"];
/// Levels that a value may have.
const DEPTH_MAX: usize = 32;
/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
const NUMERIC_DATE_MAX: i64 = (1 << 53) - 1;

/// The first argument as the type that the second names; the third is the row's key, the fourth whose it is.
pub(super) const TYPED: Function = Function { name: "typed", run: typed };
/// The first argument, if it may stand under the name that the second is; the third says whose it is.
pub(super) const REGISTERED: Function = Function { name: "registered", run: registered };

/// The value as one of this type; what cannot be converted is `claim.type`.
pub(crate) fn typed_of(value: Expr, kind: &str, key: &str, who: Value) -> Expr {
    let text = |text: &str| Expr::Literal(Value::text(text));
    Expr::Applied { function: TYPED, to: vec![value, text(kind), text(key), Expr::Literal(who)] }
}

/// The value of a claim, if RFC 7519 lets it stand under this name; otherwise `claim.value`.
pub(crate) fn registered_of(value: Expr, key: &str, who: Value) -> Expr {
    if !is_registered(key) {
        return value;
    }
    Expr::Applied { function: REGISTERED, to: vec![value, Expr::Literal(Value::text(key)), Expr::Literal(who)] }
}

/// The types that a row of this name may have; all, if RFC 7519 says nothing.
pub(crate) fn types_of(key: &str) -> &'static [&'static str] {
    match key {
        "exp" | "nbf" | "iat" => &["Number"],
        "aud" => &["String", "Array"],
        "jti" | "iss" | "sub" => &["String"],
        _ => TYPES,
    }
}

fn is_registered(key: &str) -> bool {
    types_of(key).len() < TYPES.len()
}

/// A value converted.
///
/// # Errors
/// What kind of value it is, if it cannot be: nothing of the value itself.
pub(crate) fn convert(value: &Value, kind: &str) -> Result<Value, &'static str> {
    let found = kind_of(value);
    let json = |text: &str| read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact).map_err(|_| found);
    let converted = match (kind, value) {
        (_, Value::Null | Value::Undefined) => return Err(found),
        ("String", value) => Value::text(shown(value).map_err(|_| found)?),
        ("Number", Value::Number(_)) | ("Boolean", Value::Bool(_)) => value.clone(),
        ("Array", Value::List(_)) | ("Object", Value::Map(_)) => value.clone(),
        ("Number", Value::Text(text)) => {
            let Value::Number(number) = json(text.trim())? else { return Err(found) };
            Value::Number(finite(number).ok_or(found)?)
        }
        ("Boolean", Value::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(found),
        },
        ("Array" | "Object", Value::Text(text)) => match (kind, json(text)?) {
            ("Array", list @ Value::List(_)) => list,
            ("Object", map @ Value::Map(_)) => map,
            _ => return Err(found),
        },
        _ => return Err(found),
    };
    Ok(converted)
}

/// What a registered claim must be.
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn check_registered(key: &str, value: &Value) -> Result<(), &'static str> {
    let is_text = |value: &Value| value.as_text().is_some_and(|text| !text.is_empty());
    match key {
        "exp" | "nbf" | "iat" => {
            let is_time =
                matches!(value, Value::Number(Number::Integer(secs)) if (0..=NUMERIC_DATE_MAX).contains(secs));
            if is_time { Ok(()) } else { Err("a whole number of seconds, not negative, is needed") }
        }
        "aud" => {
            let is_list = matches!(value, Value::List(items) if !items.is_empty() && items.iter().all(is_text));
            if is_list || is_text(value) { Ok(()) } else { Err("a text, or a list of texts, is needed") }
        }
        "jti" | "iss" | "sub" if !is_text(value) => Err("a text that is not empty is needed"),
        _ => Ok(()),
    }
}

/// Whether the value has more levels than a claim may have.
pub(crate) fn is_too_deep(value: &Value) -> bool {
    fn depth(value: &Value, left: usize) -> bool {
        match value.parts() {
            Parts::None => false,
            Parts::List(items) => left == 0 || items.iter().any(|item| depth(item, left - 1)),
            Parts::Map(map) => left == 0 || map.iter().any(|(_, member)| depth(member, left - 1)),
        }
    }
    depth(value, DEPTH_MAX)
}

/// What kind of value it is, in the words of the types.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Undefined => "nothing",
        Value::Null => "null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::Text(_) | Value::Date(_) => "String",
        Value::List(_) | Value::Bytes(_) => "Array",
        Value::Map(_) | Value::Handle(_) | Value::Unencodable(_) => "Object",
    }
}

fn typed(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, kind, key, who] = arguments else { return Ok(Value::Undefined) };
    let (kind, key) = (kind.as_text().unwrap_or_default(), key.as_text().unwrap_or_default());
    let converted = convert(value, kind).map_err(|found| {
        let message = format!("claim \"{key}\": cannot convert {found} to {kind}");
        fault_of(who, FaultKind::ClaimsInvalid, "claim.type", &message)
    })?;
    if is_too_deep(&converted) {
        let message = format!("claim \"{key}\": at most {DEPTH_MAX} levels are taken");
        return Err(fault_of(who, FaultKind::ClaimsInvalid, "claim.value", &message));
    }
    Ok(converted)
}

fn registered(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, key, who] = arguments else { return Ok(Value::Undefined) };
    let key = key.as_text().unwrap_or_default();
    check_registered(key, value)
        .map_err(|rule| fault_of(who, FaultKind::ClaimsInvalid, "claim.value", &format!("claim \"{key}\": {rule}")))?;
    Ok(value.clone())
}

/// The number, unless a double could not hold it.
fn finite(number: Number) -> Option<Number> {
    let is_integer = match &number {
        Number::Literal(text) => text.bytes().all(|c| c.is_ascii_digit() || c == b'-'),
        Number::Integer(_) => true,
        Number::Float(_) => false,
    };
    (is_integer || write_number(&mut Vec::new(), number.as_f64())).then_some(number)
}
