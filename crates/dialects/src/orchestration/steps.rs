//! The bound of a run: nodes that can be passed more than a thousand times count each pass (contract section 8).

use plan::{Expr, Fault, FaultKind, Flow, Function, NodeIx, Number, Op, Path, ShapeStep, Value};

use crate::token_form::{Who, fault_of};

/// The most nodes that a message passes.
const STEPS_MAX: i64 = 1_000;
/// The member of the message that counts; no variable may have its name.
const STEPS: &str = ".steps";
/// The first argument and one more; the second says whose it is.
const COUNTED: Function = Function { name: "counted", run: counted };

/// Whether a message could pass more nodes than it may, of so many that the author has written: in a loop, or because there
/// are so many.
pub(super) fn may_exceed(flow: &Flow, written: usize) -> bool {
    i64::try_from(written).is_ok_and(|written| written > STEPS_MAX) || has_loop(flow)
}

/// Counts one pass.
pub(super) fn count(who: &Who) -> Op {
    let so_far = Expr::Message(Path::keys([STEPS]));
    let to = vec![so_far, Expr::Literal(who.value("exits"))];
    Op::Assign(vec![ShapeStep::Set(Path::keys([STEPS]), Expr::Applied { function: COUNTED, to })])
}

fn counted(arguments: &[Value]) -> Result<Value, Fault> {
    let [so_far, who] = arguments else { return Ok(Value::Undefined) };
    let passed = if let Value::Number(Number::Integer(passed)) = so_far { passed + 1 } else { 1 };
    if passed > STEPS_MAX {
        let message = format!("the flow takes more than {STEPS_MAX} steps");
        return Err(fault_of(who, FaultKind::Endless, "flow.endless", &message));
    }
    Ok(Value::integer(passed))
}

/// Whether a message can come to a node twice. Nodes without a way in from others are taken away until none is left, or a loop.
fn has_loop(flow: &Flow) -> bool {
    let ways = |at: usize| {
        let node = &flow.nodes[at];
        let handlers = node.on_error.0.iter().flatten().map(|handler| handler.node);
        node.outputs.iter().flatten().copied().chain(handlers).map(|NodeIx(to)| to as usize).collect::<Vec<_>>()
    };
    let mut led_to = vec![0_usize; flow.nodes.len()];
    (0..flow.nodes.len()).flat_map(ways).for_each(|to| led_to[to] += 1);
    let mut free: Vec<usize> = (0..flow.nodes.len()).filter(|at| led_to[*at] == 0).collect();
    let mut taken = 0;
    while let Some(at) = free.pop() {
        taken += 1;
        for to in ways(at) {
            led_to[to] -= 1;
            if led_to[to] == 0 {
                free.push(to);
            }
        }
    }
    taken < flow.nodes.len()
}
