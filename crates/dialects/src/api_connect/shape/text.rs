//! Texts that scripts make of values: `+`, and `JSON.stringify`.

use plan::{Expr, Fault, Function, Number, Value, write_json};

use super::grammar::unfit;

/// What `+` makes of a text and other scalars; anything else is left to the script.
const CONCATENATED: Function = Function { name: "concatenated", run: concatenated };
/// What `JSON.stringify` makes of what JSON can hold; anything else is left to the script.
const STRINGIFIED: Function = Function { name: "stringified", run: stringified };

pub(super) fn concatenated_of(parts: Vec<Expr>) -> Expr {
    Expr::Applied { function: CONCATENATED, to: parts }
}

pub(super) fn stringified_of(value: Expr) -> Expr {
    Expr::Applied { function: STRINGIFIED, to: vec![value] }
}

fn concatenated(parts: &[Value]) -> Result<Value, Fault> {
    let mut out = String::new();
    for part in parts {
        match part {
            Value::Text(text) => out.push_str(text),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(Number::Integer(integer)) => out.push_str(&integer.to_string()),
            Value::Undefined => out.push_str("undefined"),
            Value::Null => out.push_str("null"),
            Value::Number(Number::Float(_) | Number::Literal(_))
            | Value::Bytes(_)
            | Value::Date(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Handle(_)
            | Value::Unencodable(_) => return Err(unfit()),
        }
    }
    Ok(Value::Text(out.into()))
}

fn stringified(arguments: &[Value]) -> Result<Value, Fault> {
    let value = arguments.first().filter(|value| is_plain(value)).ok_or_else(unfit)?;
    let mut out = Vec::new();
    match write_json(&mut out, value) {
        Ok(true) => Ok(Value::Text(String::from_utf8(out).map_err(|_| unfit())?.into())),
        Ok(false) | Err(_) => Err(unfit()),
    }
}

/// Whether JSON holds the value as JavaScript would write it.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Number(Number::Integer(_)) => true,
        Value::List(items) => items.iter().all(is_plain),
        Value::Map(map) => map.iter().all(|(_, member)| member.is_undefined() || is_plain(member)),
        Value::Undefined
        | Value::Number(Number::Float(_) | Number::Literal(_))
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => false,
    }
}
