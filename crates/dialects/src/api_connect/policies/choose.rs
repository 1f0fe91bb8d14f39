//! `switch` and `if`: the first case whose condition is true (section 10).

use plan::{BranchPlan, Expr, ExpressionPlan, Map, NodeIx, Op, Severity, Test, Value};

use super::script;
use crate::api_connect::condition::{Condition, Jsonata, PRELUDE, context_of, read, truth_of};
use crate::api_connect::lower::{Lowering, Step, Telling, fault};
use crate::api_connect::tree::Cursor;

/// Time of one evaluation, in milliseconds.
const CPU_MS: u32 = 100;

/// A condition, and where a message goes for which it is true.
type Case = (Condition, NodeIx);

/// `if`: its steps, or on.
pub(super) fn lower_if<'d>(lowering: &mut Lowering<'d>, step: &Step<'d>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "condition", "execute"]);
    let entry = lowering.steps_of(&step.block, "execute", next);
    match condition(lowering, step, &step.block) {
        Some(condition) => first_of(lowering, step, &[(condition, entry)], next),
        None => unread(lowering, step, next),
    }
}

/// `switch`: the steps of the first case that is true, or those of `otherwise`, which may stand in `case` or beside it.
pub(super) fn lower_switch<'d>(lowering: &mut Lowering<'d>, step: &Step<'d>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "case", "otherwise"]);
    let mut cases = Vec::new();
    let mut otherwise = lowering.steps_of(&step.block, "otherwise", next);
    for case in step.block.get("case").map(|case| case.items()).unwrap_or_default() {
        if let Some(steps) = case.get("otherwise") {
            otherwise = lowering.chain(&steps, next);
            continue;
        }
        let entry = lowering.steps_of(&case, "execute", next);
        let Some(condition) = condition(lowering, step, &case) else { return unread(lowering, step, next) };
        cases.push((condition, entry));
    }
    first_of(lowering, step, &cases, otherwise)
}

/// The condition of a case; none, and told, if it is nothing that runs here.
fn condition(lowering: &mut Lowering<'_>, step: &Step<'_>, case: &Cursor<'_>) -> Option<Condition> {
    let written = case.text("condition").unwrap_or_else(|| "false".to_owned());
    let at = case.get("condition").unwrap_or_else(|| case.clone());
    let read = match read(&written, lowering.definition.gateway) {
        Ok(read) => read,
        Err(why) => {
            let message = format!("The condition does not run here: {why}; a request that reaches it fails.");
            let hint = "Say the same with comparisons, paths and the functions that conditions have.";
            lowering.tell(Severity::Stopped, "condition_unsupported", (&at, step.kind), message, hint);
            return None;
        }
    };
    if read.is_foreign {
        let (is, reads) = match read.condition {
            Condition::JavaScript(_) => ("JavaScript", "JSONata"),
            Condition::Jsonata(_) => ("JSONata", "JavaScript"),
        };
        let message =
            format!("The condition is {is}, where the gateway of this definition reads {reads}; it runs as it is.");
        let hint = format!("Write it as {reads}.");
        lowering.tell(Severity::Warning, "condition_language", (&at, step.kind), message, &hint);
    }
    Some(read.condition)
}

/// The node that takes the first case that is true. Cases of one language that stand together are one node.
fn first_of(lowering: &mut Lowering<'_>, step: &Step<'_>, cases: &[Case], otherwise: NodeIx) -> NodeIx {
    let is_jsonata = |(condition, _): &Case| matches!(condition, Condition::Jsonata(_));
    let mut entry = otherwise;
    for together in cases.chunk_by(|one, other| is_jsonata(one) == is_jsonata(other)).rev() {
        let mut outputs: Vec<Vec<NodeIx>> = together.iter().map(|(_, entry)| vec![*entry]).collect();
        outputs.push(vec![entry]);
        let (mut scripts, mut tests) = (Vec::new(), Vec::new());
        for (condition, _) in together {
            match condition {
                Condition::JavaScript(expression) => scripts.push(expression.clone()),
                Condition::Jsonata(jsonata) => tests.push(Test::Holds(truth_of(evaluated(lowering, step, jsonata)))),
            }
        }
        entry = if tests.is_empty() {
            script::choice(lowering, step, &scripts, outputs)
        } else {
            tests.push(Test::Otherwise);
            let plan = BranchPlan { on: Expr::Literal(Value::Undefined), tests, all: false, remember: None };
            lowering.step_told(step, Op::Branch(Box::new(plan)), outputs, &Telling::Own)
        };
    }
    entry
}

/// The value of an expression for the context.
fn evaluated(lowering: &mut Lowering<'_>, step: &Step<'_>, jsonata: &Jsonata) -> Expr {
    let references = jsonata.references.iter().map(|name| lowering.names.variable(name)).collect();
    let named = lowering.names.properties.iter().filter(|(name, _)| jsonata.source.contains(&***name));
    let properties: Map = named.map(|(name, value)| (name.clone(), value.clone())).collect();
    let input = Box::new(context_of(references, properties));
    let source = jsonata.source.as_str().into();
    let expression = lowering.add_expression(ExpressionPlan {
        origin: step.origin,
        prelude: PRELUDE.into(),
        source,
        functions: [].into(),
        cpu_ms: CPU_MS,
        complaint: "The condition failed: ".into(),
        code: Some("RuntimeError".into()),
    });
    Expr::Evaluated { expression, input }
}

fn unread(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    let information = format!("A condition of the policy {} is not supported.", step.kind);
    let fault = fault("RuntimeError", &information, (501, "Not Implemented"), &information);
    lowering.step(step, Op::Raise(fault), next)
}
