//! `catch`: which handler takes which error (section 8).

use plan::{BranchPlan, Expr, NodeIx, Op, OriginIx, Path, Severity, Test, Value};

use super::lower::Lowering;
use super::tree::Cursor;

/// Errors that `default` leaves alone on the API gateway.
const NOT_BY_DEFAULT: [&str; 3] = ["BadRequestError", "UnauthorizedError", "ForbiddenError"];

/// The branch that errors of `execute` come to. A handler goes on to `after`; an error in it is uncaught, and so is one that
/// no clause takes.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, clauses: &Cursor<'d>, origin: OriginIx, after: NodeIx) -> NodeIx {
    let uncaught = lowering.handler();
    let (mut tests, mut outputs) = (Vec::new(), Vec::new());
    for clause in clauses.items() {
        if let Some(steps) = clause.get("default") {
            tests.push(default(lowering.is_v5()));
            outputs.push(vec![lowering.chain(&steps, after)]);
            continue;
        }
        let names: Vec<String> = clause
            .get("errors")
            .map(|errors| errors.items().iter().filter_map(|name| name.node.scalar_text()).collect())
            .unwrap_or_default();
        if names.is_empty() {
            let message = "The clause names no error, so it never takes any.";
            let hint = "Name errors, or write `default` for all others.";
            lowering.tell(Severity::Warning, "catch_of_nothing", (&clause, "catch"), message, hint);
            continue;
        }
        let entry = lowering.steps_of(&clause, "execute", after);
        for name in names {
            tests.push(Test::Equal(Expr::Literal(Value::text(name))));
            outputs.push(vec![entry]);
        }
    }
    tests.push(Test::Otherwise);
    outputs.push(vec![uncaught]);
    let on = Expr::Message(Path::keys(["error", "name"]));
    let plan = BranchPlan { on, tests, all: false, remember: None };
    lowering.catcher(Op::Branch(Box::new(plan)), origin, outputs)
}

fn default(is_v5: bool) -> Test {
    let spared = if is_v5 { [].as_slice() } else { NOT_BY_DEFAULT.as_slice() };
    Test::All(spared.iter().map(|name| Test::NotEqual(Expr::Literal(Value::text(name)))).collect())
}
