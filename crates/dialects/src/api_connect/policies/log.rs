//! `log`: a line of the activity, where the mode sends one (section 10).

use plan::{Expr, LogLevel, NodeIx, Op, Value};

use crate::api_connect::lower::{Lowering, Step};
use crate::api_connect::values::joined_of;

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "mode", "log-level"]);
    let mode = step.block.text("mode").unwrap_or_else(|| "gather-only".to_owned());
    if mode == "gather-only" {
        return next;
    }
    let names = &lowering.names;
    let text = |text: &str| Expr::Literal(Value::text(text));
    let parts = ["request.verb", "request.path", "message.status.code"].map(|name| names.variable(name));
    let [verb, path, status] = parts;
    let line = joined_of(vec![text("activity: "), verb, text(" "), path, text(" "), status]);
    let log = lowering.step(step, Op::Log { level: LogLevel::Info, value: line }, next);
    lowering.step_told(step, Op::Pass, vec![vec![log, next]], &crate::api_connect::lower::Telling::Own)
}
