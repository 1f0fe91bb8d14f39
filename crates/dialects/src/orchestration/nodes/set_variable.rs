//! `set-variable`: fills a variable with typed members (section 8).

use plan::{Expr, Op, Text};

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};
use crate::token_form::{Form, Row, read_rows, saved_in};

const ROWS_MAX: usize = 200;

pub(super) const TYPE: NodeType = NodeType {
    label: "Set variable",
    spec: NodeSpec {
        kind: "set-variable",
        category: "data",
        colour: "#8d6bc0",
        summary: "Fills a variable with members of named types.",
        inputs: 1,
        outputs: Outputs::Labelled(&["Success", "Failure"]),
        fields: &[
            FieldSpec {
                name: "rows",
                label: "Variables",
                summary: "Members: key, value and type of each.",
                kind: FieldKind::Rows(&["key", "value", "type"]),
            },
            FieldSpec {
                name: "variable",
                label: "Variable name",
                summary: "The variable that they are members of.",
                kind: FieldKind::Text("data"),
            },
            FieldSpec {
                name: "frontend",
                label: "Available to the frontend",
                summary: "Whether front-end nodes may read it.",
                kind: FieldKind::Flag(false),
            },
        ],
    },
    lower,
};

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    lowering.check_exits(live, &["Success", "Failure"]);
    let mut config = live.config(lowering.told());
    let rows = read_rows(config.objects("rows", ROWS_MAX), "rows", any);
    let value = Expr::Map(rows.iter().enumerate().map(|(index, row)| member(row, index, live)).collect());
    let steps = saved_in(&mut config, "data", value);
    config.close();
    let (well, badly) = (lowering.exit(live, "Success"), lowering.exit(live, "Failure"));
    let failing = lowering.failing(live, badly);
    lowering.put(live, Op::Assign(steps), vec![vec![well]], failing);
}

fn member(row: &Row, index: usize, live: &Live<'_, '_>) -> (Text, Expr) {
    let value = row.typed(&live.who, &format!("rows[{index}]/value"));
    (row.key.as_str().into(), value)
}

/// A variable may have members of any name.
fn any(_: &Form<'_>, _: &Row) {}
