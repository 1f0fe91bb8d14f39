//! Changing a value where it equals or holds what is looked for.

use plan::ecmascript::text_of;
use plan::{Fault, FaultKind, Pattern, Value};

use crate::TEXT_BYTES_MAX;

/// [`plan::Expr::Replaced`].
///
/// # Errors
///
/// What is looked for is nothing to look for, or the result is too long.
pub(crate) fn replaced(value: Value, find: &Value, also: Option<&Value>, with: Value) -> Result<Value, Fault> {
    if also.is_some_and(|also| same_scalar(also, &value)) {
        return Ok(with);
    }
    match (&value, find) {
        (Value::Text(text), Value::Text(find)) if text == find => Ok(with),
        (Value::Text(text), Value::Text(find)) => replace_parts(text, find, &text_of(&with)),
        (Value::Number(_), Value::Number(_)) if same_scalar(&value, find) => Ok(with),
        (_, find) if find.is_scalar() => Ok(value),
        (_, _) => {
            Err(Fault::new(FaultKind::ValueUnfit, "What is looked for is neither a text nor a number nor a boolean."))
        }
    }
}

/// [`plan::Expr::Rewritten`].
///
/// # Errors
///
/// The result is too long.
pub(crate) fn rewritten(value: Value, find: &Pattern, with: &Value) -> Result<Value, Fault> {
    if let Value::Text(text) = &value { replace(text, find, &text_of(with)) } else { Ok(value) }
}

fn replace_parts(text: &str, find: &str, with: &str) -> Result<Value, Fault> {
    if find.is_empty() || text.contains(find) {
        let find = Pattern::literal(find).map_err(|error| Fault::new(FaultKind::ValueUnfit, error.to_string()))?;
        return replace(text, &find, with);
    }
    Ok(Value::text(text))
}

fn replace(text: &str, find: &Pattern, with: &str) -> Result<Value, Fault> {
    let replaced = find.replace_all(text, with, TEXT_BYTES_MAX);
    let too_long =
        || Fault::new(FaultKind::Oversized, format!("the text would be longer than {TEXT_BYTES_MAX} octets"));
    replaced.map(|text| Value::Text(text.into())).ok_or_else(too_long)
}

fn same_scalar(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NR-93: a whole match takes the typed value, a part match stays text.
    #[test]
    fn a_whole_match_takes_the_value_and_a_part_its_text() {
        let change = |value: Value, find: Value, also: Option<Value>| {
            replaced(value, &find, also.as_ref(), Value::integer(3)).unwrap()
        };
        let twelve = || Value::text("12");
        let number = || Some(Value::integer(12));
        assert_eq!(change(twelve(), twelve(), None), Value::integer(3));
        assert_eq!(change(Value::text("12 12"), twelve(), None), Value::text("3 3"));
        assert_eq!(change(Value::integer(12), twelve(), None), Value::integer(12));
        assert_eq!(change(Value::integer(12), twelve(), number()), Value::integer(3));
        assert_eq!(change(Value::integer(12), Value::integer(12), None), Value::integer(3));
        assert_eq!(change(twelve(), Value::integer(12), None), twelve());
        assert_eq!(change(Value::Bool(true), Value::text("true"), Some(Value::Bool(true))), Value::integer(3));
        assert_eq!(change(Value::Bool(true), Value::Bool(true), None), Value::Bool(true));
        assert!(replaced(twelve(), &Value::Undefined, None, Value::Null).is_err());
    }
}
