//! `condition`: leaves by the exit of the first row that holds, or by Otherwise (section 8).

use plan::ecmascript::number_of;
use plan::{BranchPlan, Expr, Fault, Function, Op, Pattern, Test, Value};

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};
use crate::token_form::{Form, Template, shown, template_at};

const ROWS_MAX: usize = 100;
const OTHERWISE: &str = "Otherwise";
const OPERATORS: &[&str] =
    &["equals", "contains", "starts", "ends", "matches", "less", "greater", "exists", "empty", "isType"];
const TYPES: &[&str] = &["String", "Number", "Boolean", "Array", "Object"];
/// Whether the first argument stands to the third as the second, an operator, says.
const COMPARED: Function = Function { name: "compared", run: compared };

pub(super) const TYPE: NodeType = NodeType {
    label: "Condition",
    spec: NodeSpec {
        kind: "condition",
        category: "flow",
        colour: "#d08c2e",
        summary: "Leaves by the exit of the first row that holds.",
        inputs: 1,
        outputs: Outputs::Field("rows"),
        fields: &[FieldSpec {
            name: "rows",
            label: "Rows",
            summary: "What is compared with what, and the exit if that holds.",
            kind: FieldKind::Rows(&["left", "operator", "right", "exit"]),
        }],
    },
    lower,
};

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    let mut config = live.config(lowering.told());
    let mut rows = Vec::new();
    for (index, row) in config.objects("rows", ROWS_MAX).into_iter().enumerate() {
        rows.extend(read(row, index, live));
    }
    config.close();
    let mut names: Vec<&str> = rows.iter().map(|(exit, _)| *exit).collect();
    names.push(OTHERWISE);
    lowering.check_exits(live, &names);
    let outputs = names.iter().map(|name| vec![lowering.exit(live, name)]).collect();
    let mut tests: Vec<Test> = rows.into_iter().map(|(_, holds)| Test::Holds(holds)).collect();
    tests.push(Test::Otherwise);
    let failing = lowering.failing(live, lowering.failed());
    let plan = BranchPlan { on: Expr::Literal(Value::Undefined), tests, all: false, remember: None };
    lowering.put(live, Op::Branch(Box::new(plan)), outputs, failing);
}

/// A row: its exit, and whether it holds.
fn read<'d>(mut row: Form<'d>, index: usize, live: &Live<'_, 'd>) -> Option<(&'d str, Expr)> {
    let told = row.told();
    let (left, right, exit) = (row.text("left"), row.text("right").unwrap_or_default(), row.text("exit"));
    let operator = row.choice("operator", OPERATORS);
    let (at_left, at_right) = (row.at("left"), row.at("right"));
    if left.is_none() || exit.is_none_or(str::is_empty) {
        told.refuse("value_illegal", row.spot(), "A row needs `left` and `exit`.", "Write both.");
    }
    row.close();
    let left = template_at(told, &at_left, left?, format!("rows[{index}]/left"))?;
    let right = template_at(told, &at_right, right, format!("rows[{index}]/right"))?;
    match (operator, right.as_plain()) {
        ("matches", Some(text)) => {
            if let Err(error) = Pattern::new(text, false) {
                told.refuse("value_illegal", &at_right, format!("This is no pattern: {error}."), "");
            }
        }
        ("isType", found) if !found.is_some_and(|found| TYPES.contains(&found)) => {
            told.refuse("value_illegal", &at_right, format!("A type is one of `{}`.", TYPES.join("`, `")), "");
        }
        _ => {}
    }
    let to = vec![value(&left, live), Expr::Literal(Value::text(operator)), value(&right, live)];
    Some((exit?, Expr::Applied { function: COMPARED, to }))
}

/// The value of a side; a variable that is not set is undefined, and equals nothing.
fn value(side: &Template, live: &Live<'_, '_>) -> Expr {
    match side.as_reference() {
        Some(reference) => Expr::Message(reference.path.clone()),
        None => side.expr(&live.who),
    }
}

fn compared(arguments: &[Value]) -> Result<Value, Fault> {
    let [left, operator, right] = arguments else { return Ok(Value::Undefined) };
    let is_absent = matches!(left, Value::Undefined | Value::Null);
    let operator = operator.as_text().unwrap_or_default();
    let text = |value: &Value| shown(value).unwrap_or_default();
    let holds = match operator {
        "exists" => !is_absent,
        "empty" => is_absent || is_empty(left),
        _ if is_absent || right.is_undefined() => false,
        "equals" => is_equal(left, right),
        "contains" => contains(left, right),
        "starts" => text(left).starts_with(&text(right)),
        "ends" => text(left).ends_with(&text(right)),
        "matches" => Pattern::new(&text(right), false).is_ok_and(|pattern| pattern.is_match(&text(left))),
        "less" => order(left, right) == Some(std::cmp::Ordering::Less),
        "greater" => order(left, right) == Some(std::cmp::Ordering::Greater),
        _ => right.as_text() == Some(crate::token_form::kind_of(left)),
    };
    Ok(Value::Bool(holds))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bytes(octets) => octets.is_empty(),
        Value::Undefined | Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::Handle(_) | Value::Unencodable(_) => false,
    }
}

/// Numbers by what they count; a text equals another kind of value if it reads like it.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Text(_), _) | (_, Value::Text(_)) => shown(left).ok() == shown(right).ok(),
        (_, _) => left == right,
    }
}

fn contains(left: &Value, right: &Value) -> bool {
    match left {
        Value::List(items) => items.iter().any(|item| is_equal(item, right)),
        Value::Map(map) => shown(right).is_ok_and(|name| map.get(&name).is_some()),
        Value::Undefined
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => shown(left).is_ok_and(|text| shown(right).is_ok_and(|part| text.contains(&part))),
    }
}

/// As numbers if both read like such, else as texts.
fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    let number = |value: &Value| Some(number_of(value)).filter(|number| !number.is_nan() && !is_empty(value));
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        (_, _) => Some(shown(left).ok()?.cmp(&shown(right).ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use jose::json::Limits;
    use plan::{JsonRules, read_json};

    use super::*;

    fn holds(left: &str, operator: &str, right: &str) -> bool {
        let read = |text: &str| match text {
            "" => Value::Undefined,
            text => read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact).unwrap(),
        };
        compared(&[read(left), Value::text(operator), read(right)]) == Ok(Value::Bool(true))
    }

    #[test]
    fn each_operator_holds_where_it_says() {
        for (left, operator, right) in [
            ("1", "equals", "1.0"),
            ("true", "equals", "\"true\""),
            ("\"7\"", "equals", "7"),
            ("[1]", "equals", "[1]"),
            ("\"office\"", "contains", "\"fi\""),
            ("[1, 2]", "contains", "\"2\""),
            (r#"{"a": 1}"#, "contains", "\"a\""),
            ("\"office\"", "starts", "\"off\""),
            ("\"office\"", "ends", "\"ice\""),
            ("\"office\"", "matches", "\"^o.{4}e$\""),
            ("\"9\"", "less", "10"),
            ("\"b\"", "less", "\"c\""),
            ("\"10\"", "greater", "9"),
            ("false", "exists", "\"\""),
            ("", "empty", "\"\""),
            ("null", "empty", "\"\""),
            ("\"\"", "empty", "\"\""),
            ("[]", "empty", "\"\""),
            ("{}", "empty", "\"\""),
            ("[1]", "isType", "\"Array\""),
            ("\"1\"", "isType", "\"String\""),
            ("1", "isType", "\"Number\""),
        ] {
            assert!(holds(left, operator, right), "{left} {operator} {right}");
        }
    }

    #[test]
    fn no_operator_holds_where_it_does_not() {
        for (left, operator, right) in [
            ("1", "equals", "2"),
            ("", "equals", "\"\""),
            ("null", "equals", "null"),
            ("\"a\"", "equals", ""),
            ("\"Office\"", "contains", "\"off\""),
            ("[1, 2]", "contains", "3"),
            (r#"{"a": 1}"#, "contains", "1"),
            ("\"office\"", "starts", "\"ice\""),
            ("\"office\"", "ends", "\"off\""),
            ("\"office\"", "matches", "\"^ice\""),
            ("10", "less", "\"9\""),
            ("9", "less", "9"),
            ("9", "greater", "9"),
            ("", "greater", "1"),
            ("", "exists", "\"\""),
            ("null", "exists", "\"\""),
            ("0", "empty", "\"\""),
            ("false", "empty", "\"\""),
            ("\"1\"", "isType", "\"Number\""),
            ("null", "isType", "\"Object\""),
        ] {
            assert!(!holds(left, operator, right), "{left} {operator} {right}");
        }
    }
}
