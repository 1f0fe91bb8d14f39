//! The policies of an assembly, one file each; what is not among them is told and fails when it is reached.

mod algorithms;
mod choose;
mod convert;
mod forms;
mod invoke;
mod jwt_generate;
mod jwt_validate;
mod log;
mod map;
mod operation_switch;
mod own;
mod script;
mod set_variable;
mod throw;

pub(super) use algorithms::{given, is_check};
pub use forms::JWT_GENERATE;
use plan::{NodeIx, Op, Severity};

use super::lower::{Lowering, Step, fault};

/// Lowers one step; gives its first node. Behind it the message goes to `next`.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, step: &Step<'d>, next: NodeIx) -> NodeIx {
    match step.kind {
        "set-variable" => set_variable::lower(lowering, step, next),
        "jwt-generate" => jwt_generate::lower(lowering, step, next),
        "jwt-validate" => jwt_validate::lower(lowering, step, next),
        "invoke" => invoke::lower(lowering, step, next),
        "operation-switch" => operation_switch::lower(lowering, step, next),
        "gatewayscript" | "javascript" => script::lower(lowering, step, next),
        "if" => choose::lower_if(lowering, step, next),
        "switch" => choose::lower_switch(lowering, step, next),
        "throw" => throw::lower(lowering, step),
        "log" => log::lower(lowering, step, next),
        "map" => map::lower(lowering, step, next),
        "parse" => convert::lower_parse(lowering, step, next),
        "json-to-xml" => convert::lower_json_to_xml(lowering, step, next),
        "xml-to-json" => convert::lower_xml_to_json(lowering, step, next),
        "activity-log" => next,
        _ => unsupported(lowering, step, next),
    }
}

/// A policy that does not run here: the file loads, and reaching the step is an error (section 10).
fn unsupported(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    let title = step.block.text("title").map(|title| format!(" \"{title}\"")).unwrap_or_default();
    let message = format!("The policy `{}`{title} is not supported; a request that reaches it fails.", step.kind);
    let hint = "Take the step out, or put one that runs here in its place.";
    lowering.tell(Severity::Stopped, "policy_unsupported", (&step.block, step.kind), message, hint);
    let information = format!("The policy {} is not supported.", step.kind);
    let fault = fault("RuntimeError", &information, (501, "Not Implemented"), &information);
    lowering.step(step, Op::Raise(fault), next)
}
