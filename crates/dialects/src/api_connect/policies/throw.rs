//! `throw`: raises an error of the author's own name (section 10).

use plan::{NodeIx, Op};

use crate::api_connect::lower::{Lowering, Step, fault};

/// The reason phrase of an error that brings none.
const REASON: &str = "Internal Server Error";

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>) -> NodeIx {
    let known = ["title", "description", "version", "name", "message", "error-status-code", "error-status-reason"];
    lowering.tell_unknown(step, &known);
    let name = step.block.text("name").unwrap_or_else(|| "RuntimeError".to_owned());
    let message = step.block.text("message").unwrap_or_default();
    let code = step.block.text("error-status-code").and_then(|code| code.parse::<i64>().ok());
    let code = code.filter(|code| (400..=599).contains(code)).unwrap_or(500);
    let reason = step.block.text("error-status-reason").unwrap_or_else(|| REASON.to_owned());
    let told = if message.is_empty() { name.clone() } else { message.clone() };
    let fault = fault(&name, &message, (code, &reason), &told);
    lowering.step_told(step, Op::Raise(fault), Vec::new(), &crate::api_connect::lower::Telling::Own)
}
