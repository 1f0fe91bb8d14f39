//! JSON Schema, draft 7, as the `json` node checks it: the errors are those of its library, in its order and words.

mod check;
mod containers;
mod well_formed;

use plan::{Fault, FaultKind, Function, Parts, Text, Value};

use check::Check;

/// What the node says of a value that does not fit its schema.
const MISFIT: &str = "JSON Schema error";

/// The errors of a value (first argument) under a schema (second): a list, undefined if there are none.
pub(in crate::node_red) const ERRORS: Function = Function { name: "schema errors", run: errors };

/// Raises these errors (first argument) as one fault; if there are none it gives its second argument.
pub(in crate::node_red) const RAISE: Function = Function { name: "raise schema errors", run: raise };

fn errors(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, schema] = arguments else { return Ok(Value::Undefined) };
    let patterns = well_formed::patterns(schema)
        .map_err(|why| Fault::new(FaultKind::ValueUnfit, format!("{MISFIT}: failed to compile schema ({why})")))?;
    let errors = Check::new(schema, &patterns).run(value)?;
    Ok(if errors.is_empty() { Value::Undefined } else { Value::list(errors) })
}

fn raise(arguments: &[Value]) -> Result<Value, Fault> {
    let Some(Value::List(errors)) = arguments.first() else { return Ok(arguments.get(1).cloned().unwrap_or_default()) };
    let text = |error: &Value| {
        let member = |name| error.as_map().and_then(|error| error.get(name)?.as_text()).unwrap_or_default().to_owned();
        format!("data{} {}", member("instancePath"), member("message"))
    };
    let told: Vec<_> = errors.iter().map(text).collect();
    Err(Fault::new(FaultKind::ValueUnfit, format!("{MISFIT}: {}", told.join(", "))))
}

/// The schema that a reference leads to: `#` and JSON pointers behind it (RFC 6901), alone or behind the root's `$id`.
fn referred<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let id = root.as_map().and_then(|root| root.get("$id")?.as_text()).unwrap_or_default();
    let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if !base.is_empty() && base != id.trim_end_matches('#') {
        return None;
    }
    let pointer = percent_encoding::percent_decode_str(fragment).decode_utf8().ok()?;
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let step = |at: &'s Value, step: String| match at.parts() {
        Parts::Map(map) => map.get(&step),
        Parts::List(items) => items.get(step.parse::<usize>().ok()?),
        Parts::None => None,
    };
    steps.into_iter().try_fold(root, step)
}

fn text(text: impl Into<Text>) -> Value {
    Value::Text(text.into())
}

#[cfg(test)]
mod tests {
    use jose::json::Limits;
    use plan::{JsonRules, read_json};

    use super::*;

    fn json(text: &str) -> Value {
        read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Ecmascript).unwrap()
    }

    fn fault(schema: &str, value: &str) -> Fault {
        errors(&[json(value), json(schema)]).unwrap_err()
    }

    /// NR-94: what fails is told with keyword, place, parameters and message.
    #[test]
    fn errors_have_the_members_that_people_read() {
        let schema = json(r#"{"type":"object","properties":{"a/b":{"maximum":3}},"required":["c"]}"#);
        let told = errors(&[json(r#"{"a/b":4}"#), schema]).unwrap();
        let expected = r##"[{"instancePath":"","schemaPath":"#/required","keyword":"required","params":{"missingProperty":"c"},"message":"must have required property 'c'"},{"instancePath":"/a~1b","schemaPath":"#/properties/a~1b/maximum","keyword":"maximum","params":{"comparison":"<=","limit":3},"message":"must be <= 3"}]"##;
        assert_eq!(told, json(expected));
        let raised = raise(&[told, Value::Undefined]).unwrap_err();
        assert_eq!(&*raised.message, "JSON Schema error: data must have required property 'c', data/a~1b must be <= 3");
        assert_eq!(raise(&[Value::Undefined, Value::Null]).unwrap(), Value::Null);
    }

    #[test]
    fn references_in_a_circle_and_schemas_without_end_are_faults() {
        let circle = fault(
            r##"{"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}},"$ref":"#/definitions/a"}"##,
            "1",
        );
        assert_eq!(circle.kind, FaultKind::Oversized);
        let branches = r##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}],"not":{}}"##;
        assert_eq!(fault(branches, "1").kind, FaultKind::Oversized);
        let deep = format!("{}1{}", r#"{"not":"#.repeat(150), "}".repeat(150));
        let limits = Limits { depth: 200, ..Limits::REQUEST };
        let deep = read_json(deep.as_bytes(), limits, JsonRules::Ecmascript).unwrap();
        assert_eq!(errors(&[Value::Null, deep]).unwrap_err().kind, FaultKind::ValueUnfit);
    }

    #[test]
    fn an_expression_that_needs_more_than_linear_time_is_no_schema() {
        assert!(fault(r#"{"pattern":"(?=a)b"}"#, "1").message.contains("failed to compile schema"));
        let long = format!("\"{}\"", "a".repeat(100_000));
        assert_ne!(errors(&[json(&long), json(r#"{"pattern":"^(a+)+$b"}"#)]).unwrap(), Value::Undefined);
    }
}
