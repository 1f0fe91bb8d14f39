//! CSV, as the `csv` node reads it into objects and writes them: by its old rules, or by those of RFC 4180.

mod legacy;
mod options;
mod rfc;
mod write;

use plan::{Fault, FaultKind, Function, Map, Text, Value};

use options::Options;

/// The messages that come of `msg.payload` (first argument), each a map of the members that change. The further arguments
/// are `msg.columns`, `msg._msgid`, and the node's own settings.
pub(in crate::node_red) const CONVERT: Function = Function { name: "csv", run: convert };

/// Most rows and most cells of one text.
const CELLS_MAX: usize = 100_000;

fn convert(arguments: &[Value]) -> Result<Value, Fault> {
    let [payload, columns, id, settings] = arguments else { return Ok(Value::Undefined) };
    let options = Options::of(settings);
    let one = |members: [(&str, Value); 2]| Value::list(vec![Value::map(members)]);
    match payload {
        Value::Undefined => Ok(Value::list(vec![Value::map::<&str>([])])),
        Value::Text(text) => {
            let (rows, columns) =
                if options.is_rfc { rfc::rows(text, &options) } else { legacy::rows(text, &options) }?;
            let columns = Value::text(columns);
            if options.is_whole {
                return Ok(one([("payload", Value::list(rows)), ("columns", columns)]));
            }
            Ok(Value::list(sequence(rows, &columns, id)))
        }
        Value::Null | Value::Date(_) | Value::List(_) | Value::Map(_) => {
            let (text, columns) = write::text_of(payload, columns, &options)?;
            Ok(one([("payload", Value::text(text)), ("columns", Value::text(columns))]))
        }
        Value::Bool(_) | Value::Number(_) | Value::Bytes(_) | Value::Handle(_) | Value::Unencodable(_) => {
            Err(unfit("Only texts, lists and objects become CSV, or come of it."))
        }
    }
}

/// A message for each row, numbered.
fn sequence(rows: Vec<Value>, columns: &Value, id: &Value) -> Vec<Value> {
    let count = Value::integer(rows.len() as i64);
    let part = |(index, row): (usize, Value)| {
        let parts = [("id", id.clone()), ("index", Value::integer(index as i64)), ("count", count.clone())];
        Value::map([("payload", row), ("columns", columns.clone()), ("parts", Value::map(parts))])
    };
    rows.into_iter().enumerate().map(part).collect()
}

fn unfit(why: &str) -> Fault {
    Fault::new(FaultKind::ValueUnfit, why)
}

/// Adds a row unless it is empty.
fn push_row(rows: &mut Vec<Value>, row: Map, cells: &mut usize) -> Result<(), Fault> {
    *cells += row.len() + 1;
    if *cells > CELLS_MAX {
        return Err(Fault::new(FaultKind::Oversized, format!("The CSV holds more than {CELLS_MAX} cells.")));
    }
    if !row.is_empty() {
        rows.push(row.indices_first().into());
    }
    Ok(())
}

/// Whether the names are more than a single empty one.
fn names_any(template: &[Text]) -> bool {
    template.iter().any(|name| !name.is_empty()) || template.len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, settings: &[(&str, Value)]) -> Result<Value, Fault> {
        let settings = Value::map(settings.iter().map(|(name, value)| (*name, value.clone())));
        convert(&[Value::text(text), Value::Undefined, Value::text("id"), settings])
    }

    #[test]
    fn text_without_end_is_refused_under_both_rules() {
        let many = "1,2\n".repeat(60_000);
        for spec in ["", "rfc"] {
            let refused = run(&many, &[("spec", Value::text(spec))]).unwrap_err();
            assert_eq!(refused.kind, FaultKind::Oversized, "{spec}");
            assert!(run(&"\"".repeat(10_001), &[("spec", Value::text(spec))]).is_ok(), "{spec}");
            assert!(
                run(&",".repeat(300_000), &[("spec", Value::text(spec)), ("include_null_values", Value::Bool(true))])
                    .is_err()
            );
        }
    }
}
