//! `switch` and `if`: the first case whose condition is true (section 10).

use plan::{NodeIx, Op, Severity};

use super::script;
use crate::api_connect::condition::{Condition, read};
use crate::api_connect::lower::{Lowering, Step, fault};
use crate::api_connect::tree::Cursor;

/// `if`: its steps, or on.
pub(super) fn lower_if<'d>(lowering: &mut Lowering<'d>, step: &Step<'d>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "condition", "execute"]);
    let entry = lowering.steps_of(&step.block, "execute", next);
    let Some(expression) = expression(lowering, step, &step.block) else { return unread(lowering, step, next) };
    script::choice(lowering, step, &[expression], vec![vec![entry], vec![next]])
}

/// `switch`: the steps of the first case that is true, or those of `otherwise`, which may stand in `case` or beside it.
pub(super) fn lower_switch<'d>(lowering: &mut Lowering<'d>, step: &Step<'d>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "case", "otherwise"]);
    let (mut expressions, mut outputs) = (Vec::new(), Vec::new());
    let mut otherwise = lowering.steps_of(&step.block, "otherwise", next);
    for case in step.block.get("case").map(|case| case.items()).unwrap_or_default() {
        if let Some(steps) = case.get("otherwise") {
            otherwise = lowering.chain(&steps, next);
            continue;
        }
        let entry = lowering.steps_of(&case, "execute", next);
        let Some(expression) = expression(lowering, step, &case) else { return unread(lowering, step, next) };
        expressions.push(expression);
        outputs.push(vec![entry]);
    }
    if expressions.is_empty() {
        return otherwise;
    }
    outputs.push(vec![otherwise]);
    script::choice(lowering, step, &expressions, outputs)
}

/// The condition of a case as JavaScript; none, and told, if it is nothing that runs here.
fn expression(lowering: &mut Lowering<'_>, step: &Step<'_>, case: &Cursor<'_>) -> Option<String> {
    let written = case.text("condition").unwrap_or_else(|| "false".to_owned());
    let at = case.get("condition").unwrap_or_else(|| case.clone());
    match read(&written, lowering.definition.gateway) {
        Condition::Usual(expression) => Some(expression),
        Condition::Other(expression) => {
            let message =
                "The condition is JavaScript, where the gateway of this definition reads JSONata; it runs as it is.";
            lowering.tell(Severity::Warning, "condition_language", (&at, step.kind), message, "Write it as JSONata.");
            Some(expression)
        }
        Condition::Neither => {
            let message = "The condition is no JSONata that runs here; a request that reaches it fails.";
            let hint = "Compare paths and calls such as `$statusCode()` with `=`, `!=`, `<`, `>`, `and` and `or`.";
            lowering.tell(Severity::Stopped, "condition_unsupported", (&at, step.kind), message, hint);
            None
        }
    }
}

fn unread(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    let information = format!("A condition of the policy {} is not supported.", step.kind);
    let fault = fault("RuntimeError", &information, (501, "Not Implemented"), &information);
    lowering.step(step, Op::Raise(fault), next)
}
