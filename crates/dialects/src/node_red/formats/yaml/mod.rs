//! YAML, as the `yaml` node's library reads and writes it.

mod read;
mod resolve;
mod scalar;
mod write;

use plan::{Fault, FaultKind, Function, Value};

/// Texts are read; lists and maps are written; anything else is a fault.
pub(in crate::node_red) const TOGGLE: Function = Function { name: "yaml", run: toggle };

/// The value that a text (first argument) stands for.
pub(in crate::node_red) const READ: Function = Function { name: "read yaml", run: read };

fn toggle(arguments: &[Value]) -> Result<Value, Fault> {
    let unfit = |why: &str| Err(Fault::new(FaultKind::ValueUnfit, why));
    match arguments.first() {
        None | Some(Value::Undefined) => Ok(Value::Undefined),
        Some(Value::Text(text)) => value_of(text),
        Some(Value::Bytes(_)) => unfit("Octets are not written as YAML."),
        Some(Value::Bool(_) | Value::Number(_) | Value::Unencodable(_)) => {
            unfit("Only texts, lists and objects become YAML, or come of it.")
        }
        Some(value @ (Value::Null | Value::Date(_) | Value::List(_) | Value::Map(_) | Value::Handle(_))) => {
            write::text_of(value).map(|text| Value::Text(text.into()))
        }
    }
}

fn read(arguments: &[Value]) -> Result<Value, Fault> {
    arguments.first().and_then(Value::as_text).map_or(Ok(Value::Undefined), value_of)
}

fn value_of(text: &str) -> Result<Value, Fault> {
    read::value_of(text).map_err(|why| Fault::new(FaultKind::ValueUnfit, format!("The text is not YAML: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        let mut out = Vec::new();
        plan::write_json(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn back(text: &str) -> String {
        json(&value_of(text).unwrap())
    }

    #[test]
    fn aliases_share_and_merge() {
        assert_eq!(
            back("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n"),
            r#"{"a":{"b":1},"c":{"b":1},"d":{"b":1,"e":2}}"#
        );
        assert_eq!(back("<<: [{a: 1}, {a: 2, b: 3}]\nb: 4"), r#"{"a":1,"b":4}"#);
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let deep = |levels: usize| value_of(&("[".repeat(levels) + &"]".repeat(levels)));
        assert!(deep(100).is_ok());
        assert!(deep(101).unwrap_err().message.contains("more than 100 levels deep"));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..30 {
            let before = at - 1;
            bomb +=
                &format!("a{at}: &a{at} [*a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}]\n");
        }
        // Reading shares what is named again; writing would not.
        let value = value_of(&bomb).unwrap();
        assert_eq!(toggle(&[value]).unwrap_err().kind, FaultKind::Oversized);
    }

    #[test]
    fn what_is_no_yaml_of_one_document_is_a_fault() {
        for text in
            ["a: [", "a: 1\na: 2", "a: *nobody", "--- 1\n--- 2", "!odd 1", "!!int x", "? [[1]]\n: 2", "<<: 1\na: 2"]
        {
            assert!(value_of(text).is_err(), "{text:?}");
        }
    }
}
