//! `start`: where a flow begins.

use plan::{Handlers, Op};

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) const TYPE: NodeType = NodeType {
    label: "Flow - Start",
    spec: NodeSpec {
        kind: "start",
        category: "flow",
        colour: "#6c757d",
        summary: "Begins the flow.",
        inputs: 0,
        outputs: Outputs::Labelled(&["Next"]),
        fields: &[
            FieldSpec {
                name: "sessionTtl",
                label: "Session TTL",
                summary: "Seconds that a session of the flow lives.",
                kind: FieldKind::Number(300),
            },
            FieldSpec {
                name: "loginPageTemplate",
                label: "Login page template",
                summary: "The page of login flows.",
                kind: FieldKind::Text(""),
            },
            FieldSpec {
                name: "headElements",
                label: "Head elements",
                summary: "What stands in the head of that page.",
                kind: FieldKind::Text(""),
            },
        ],
    },
    lower,
};

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    lowering.check_exits(live, &["Next"]);
    let mut config = live.config(lowering.told());
    let _ = config.integer("sessionTtl", 1..=86_400, 300);
    let _ = (config.text("loginPageTemplate"), config.text("headElements"));
    config.close();
    let next = lowering.exit(live, "Next");
    lowering.put(live, Op::Pass, vec![vec![next]], Handlers::default());
}
