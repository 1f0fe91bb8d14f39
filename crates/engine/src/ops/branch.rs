//! Branches: the message takes every output whose test holds.

use std::cmp::Ordering;

use jose::json::Limits;
use plan::ecmascript::{length, loosely_equal, order, text_of};
use plan::{
    Ask, AskId, BranchPlan, Expr, Fault, FaultKind, Flow, JsonRules, Path, Pattern, Segment, Test, Value, ValueType,
    Variable, read_json,
};

use crate::eval::Scope;
use crate::ops::Wish;
use crate::work::{Delivery, Stage, Work};

/// Decides once everything is read, sends, and remembers the value if the plan says so.
pub(crate) fn go_on(
    flow: &Flow,
    work: &mut Work,
    delivery: Delivery,
    plan: &BranchPlan,
    stage: Stage,
) -> Option<(AskId, Ask)> {
    if stage.done > 0 {
        work.done(flow, delivery);
        return None;
    }
    let exprs = std::iter::once(&plan.on).chain(plan.tests.iter().flat_map(Test::operands));
    if let Some(wish) = work.wanted(&delivery.message, &stage, exprs) {
        return work.seek(delivery, stage, wish);
    }
    let (outputs, value) = match decide(plan, work, &delivery.message, &stage) {
        Ok(Decision::Made(outputs, value)) => (outputs, value),
        Ok(Decision::Wants(wish)) => return work.seek(delivery, stage, wish),
        Err(fault) => {
            work.raise(flow, delivery, fault);
            return None;
        }
    };
    let wires = &flow.nodes[delivery.to.0 as usize].outputs;
    for output in outputs {
        let wires = wires.get(output).map_or([].as_slice(), Vec::as_slice);
        work.send_one(wires, delivery.message.clone(), delivery.lineage);
    }
    let Some((scope, name)) = &plan.remember else {
        work.done(flow, delivery);
        return None;
    };
    let variable = Variable { scope: scope.clone(), path: Path([Segment::Key(name.clone())].into()) };
    Some(work.ask_at(delivery, Ask::Write(variable, value), Stage { done: 1, ..Stage::default() }))
}

/// What came of looking at the tests.
enum Decision {
    /// The outputs whose tests hold, ascending, and the value that they were held against.
    Made(Vec<usize>, Value),
    /// An expression has to be evaluated first. Those behind a test that ends the decision never are.
    Wants(Wish),
}

fn decide(plan: &BranchPlan, work: &Work, message: &Value, stage: &Stage) -> Result<Decision, Fault> {
    let scope = &work.scope_with(message, stage);
    if let Some(wish) = work.unevaluated(message, stage, std::iter::once(&plan.on))? {
        return Ok(Decision::Wants(wish));
    }
    let value = scope.eval(&plan.on)?;
    let mut outputs = Vec::new();
    let mut otherwise = true;
    for (output, test) in plan.tests.iter().enumerate() {
        if let Some(wish) = work.unevaluated(message, stage, test.operands().into_iter())? {
            return Ok(Decision::Wants(wish));
        }
        let holds = if matches!(test, Test::Otherwise) {
            std::mem::replace(&mut otherwise, true)
        } else {
            holds(test, &value, scope)?
        };
        if holds {
            outputs.push(output);
            otherwise = false;
            if !plan.all {
                break;
            }
        }
    }
    Ok(Decision::Made(outputs, value))
}

fn holds(test: &Test, value: &Value, scope: &Scope<'_>) -> Result<bool, Fault> {
    let ordered =
        |operand: &Expr, fits: fn(Ordering) -> bool| Ok(order(value, &scope.eval(operand)?).is_some_and(fits));
    Ok(match test {
        Test::Equal(operand) => loosely_equal(value, &scope.eval(operand)?),
        Test::NotEqual(operand) => !loosely_equal(value, &scope.eval(operand)?),
        Test::Less(operand) => ordered(operand, Ordering::is_lt)?,
        Test::LessOrEqual(operand) => ordered(operand, Ordering::is_le)?,
        Test::Greater(operand) => ordered(operand, Ordering::is_gt)?,
        Test::GreaterOrEqual(operand) => ordered(operand, Ordering::is_ge)?,
        Test::Between(low, high) => {
            (ordered(low, Ordering::is_ge)? && ordered(high, Ordering::is_le)?)
                || (ordered(low, Ordering::is_le)? && ordered(high, Ordering::is_ge)?)
        }
        Test::Contains(operand) => text_of(value).contains(&text_of(&scope.eval(operand)?)),
        Test::Matches(pattern) => pattern.is_match(&text_of(value)),
        Test::MatchesText { pattern, ignore_case } => {
            let source = scope.eval(pattern)?;
            let source = if source.is_undefined() { String::new() } else { text_of(&source) };
            let unfit = |error| Fault::new(FaultKind::ValueUnfit, format!("The pattern cannot be used: {error}."));
            Pattern::new(&source, *ignore_case).map_err(unfit)?.is_match(&text_of(value))
        }
        Test::Is(expected) => *value == Value::Bool(*expected),
        Test::Nothing => matches!(value, Value::Undefined | Value::Null),
        Test::Something => !matches!(value, Value::Undefined | Value::Null),
        Test::Empty => content(value, scope) == Some(0),
        Test::NotEmpty => content(value, scope).is_some_and(|content| content > 0),
        Test::Type(expected) => is_of(value, *expected),
        Test::Holds(operand) => scope.eval(operand)? == Value::Bool(true),
        Test::Has(operand) => has(value, &text_of(&scope.eval(operand)?), scope),
        Test::Position { at, test, fault } => {
            let position = scope.eval(at)?;
            if position.is_undefined() {
                return Err((**fault).clone());
            }
            holds(test, &position, scope)?
        }
        Test::All(tests) => {
            for test in tests {
                if !holds(test, value, scope)? {
                    return Ok(false);
                }
            }
            true
        }
        Test::Otherwise => false,
        Test::Refuse(fault) => return Err((**fault).clone()),
    })
}

/// How much a text, list, octets or map holds; none for values of another type.
fn content(value: &Value, scope: &Scope<'_>) -> Option<usize> {
    let value = if let Value::Handle(handle) = value { scope.cells.get(*handle) } else { value };
    match value.as_map() {
        Some(map) => Some(map.len()),
        None if matches!(value, Value::Date(_)) => Some(0),
        None => length(value),
    }
}

fn is_of(value: &Value, expected: ValueType) -> bool {
    match expected {
        ValueType::Text => matches!(value, Value::Text(_)),
        ValueType::Number => matches!(value, Value::Number(number) if !number.as_f64().is_nan()),
        ValueType::Boolean => matches!(value, Value::Bool(_)),
        ValueType::List => matches!(value, Value::List(_)),
        ValueType::Octets => matches!(value, Value::Bytes(_)),
        ValueType::Object => matches!(value, Value::Map(_) | Value::Date(_) | Value::Handle(_)),
        ValueType::Json => read_json(text_of(value).as_bytes(), Limits::REQUEST, JsonRules::Ecmascript).is_ok(),
        ValueType::Null => matches!(value, Value::Null),
        ValueType::Undefined => value.is_undefined(),
    }
}

/// Whether the value has a member of its own by this name.
fn has(value: &Value, name: &str, scope: &Scope<'_>) -> bool {
    let index = name.parse().ok().filter(|index: &usize| index.to_string() == name);
    match value {
        Value::Map(map) => map.get(name).is_some(),
        Value::Handle(handle) => scope.cells.get(*handle).as_map().is_some_and(|map| map.get(name).is_some()),
        Value::Text(_) | Value::List(_) if name == "length" => true,
        Value::Text(_) | Value::List(_) | Value::Bytes(_) => {
            length(value).zip(index).is_some_and(|(len, index)| index < len)
        }
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::Unencodable(_) => {
            false
        }
    }
}
