//! `set-variable`: sets, adds to and clears context variables (section 10).

use plan::{Expr, Fault, NodeIx, Op, Path, ShapeStep, Value};

use crate::api_connect::lower::{Lowering, Step};
use crate::api_connect::name::{path, whole};
use crate::api_connect::tree::{Cursor, NodeKind};
use crate::api_connect::values::{appended_of, property_error, status_of, typed_of};

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "actions"]);
    let actions = step.block.get("actions").map(|actions| actions.items()).unwrap_or_default();
    let mut steps = Vec::new();
    for action in &actions {
        match action_step(lowering, action) {
            Ok(taken) => steps.push(taken),
            Err(fault) => {
                // What stands before the broken action is still done, as there.
                let raise = lowering.step(step, Op::Raise(fault), next);
                return lowering.step(step, Op::Assign(steps), raise);
            }
        }
    }
    lowering.step(step, Op::Assign(steps), next)
}

fn action_step(lowering: &Lowering<'_>, action: &Cursor<'_>) -> Result<ShapeStep, Fault> {
    let named = |verb: &str| action.text(verb).map(|name| path(whole(&name).unwrap_or(&name)));
    if let Some(to) = named("clear") {
        return Ok(ShapeStep::Delete(to));
    }
    let (to, adds) = match (named("set"), named("add")) {
        (Some(to), _) => (to, false),
        (None, Some(to)) => (to, true),
        (None, None) => return Err(property_error("the action has none of `set`, `add` and `clear`")),
    };
    let value = value(lowering, action, &to)?;
    let value = if adds { appended_of(Expr::Message(to.clone()), value) } else { value };
    let otherwise = Box::new(property_error("the variable stands below one that holds a value of its own"));
    Ok(ShapeStep::Place { to, value, otherwise })
}

/// The value, of the type that the action names.
fn value(lowering: &Lowering<'_>, action: &Cursor<'_>, to: &Path) -> Result<Expr, Fault> {
    let written = action.get("value");
    let value = match written.as_ref().map(|value| &value.node.kind) {
        Some(NodeKind::Text(text)) => lowering.names.text(text),
        Some(_) => Expr::Literal(written.map_or(Value::Undefined, |value| value.node.value())),
        None => Expr::Literal(Value::text("")),
    };
    let kind = match action.text("type").as_deref() {
        Some("integer") => Some("number".to_owned()),
        Some(kind @ ("string" | "number" | "boolean" | "array" | "object")) => Some(kind.to_owned()),
        Some(_) | None => None,
    };
    let typed = match kind {
        Some(kind) => typed_of(value, &kind),
        None => value,
    };
    Ok(if *to == path("message.status.code") { status_of(typed) } else { typed })
}
