//! `operation-switch`: the steps of the operation that was called (section 10).

use plan::{BranchPlan, Expr, NodeIx, Op, Path, Test, Value};

use crate::api_connect::lower::{Lowering, Step, Telling};
use crate::api_connect::tree::Cursor;
use crate::api_connect::values::joined_of;

pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, step: &Step<'d>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "case", "otherwise"]);
    let (mut tests, mut outputs) = (Vec::new(), Vec::new());
    let mut otherwise = lowering.steps_of(&step.block, "otherwise", next);
    for case in step.block.get("case").map(|case| case.items()).unwrap_or_default() {
        if let Some(steps) = case.get("otherwise") {
            otherwise = lowering.chain(&steps, next);
            continue;
        }
        let operations = case.get("operations").map(|operations| operations.items()).unwrap_or_default();
        let entry = lowering.steps_of(&case, "execute", next);
        for test in operations.iter().filter_map(test) {
            tests.push(test);
            outputs.push(vec![entry]);
        }
    }
    tests.push(Test::Otherwise);
    outputs.push(vec![otherwise]);
    let on =
        Expr::List(["method", "path", "id"].map(|name| Expr::Message(Path::keys(["api", "operation", name]))).into());
    let on = joined_of(interleaved(on));
    let plan = BranchPlan { on, tests, all: false, remember: None };
    lowering.step_told(step, Op::Branch(Box::new(plan)), outputs, &Telling::Own)
}

/// `{verb, path}`, or the `operationId`.
fn test(operation: &Cursor<'_>) -> Option<Test> {
    let contains = |text: String| Some(Test::Contains(Expr::Literal(Value::text(text))));
    match (operation.text("verb"), operation.text("path")) {
        (Some(verb), Some(path)) => contains(format!("\n{} {path}\n", verb.to_lowercase())),
        (_, _) => contains(format!("\n#{}\n", operation.node.scalar_text().or_else(|| operation.text("operationId"))?)),
    }
}

/// `\nverb path\n#id\n`: one text that either way of naming an operation is found in.
fn interleaved(on: Expr) -> Vec<Expr> {
    let text = |text: &str| Expr::Literal(Value::text(text));
    let Expr::List(parts) = on else { return Vec::new() };
    let between = ["\n", " ", "\n#"].map(text);
    let mut all: Vec<Expr> = between.into_iter().zip(parts).flat_map(|(before, part)| [before, part]).collect();
    all.push(text("\n"));
    all
}
