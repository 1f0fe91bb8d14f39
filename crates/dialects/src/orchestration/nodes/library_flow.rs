//! `library-flow`: calls a Library flow that the document brings along (section 8).

use plan::{Handlers, Op};

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) const TYPE: NodeType = NodeType {
    label: "Library flow",
    spec: NodeSpec {
        kind: "library-flow",
        category: "flow",
        colour: "#4f8f8b",
        summary: "Calls a Library flow, which returns by Nested Success or Nested Failure.",
        inputs: 1,
        outputs: Outputs::Labelled(&["Success", "Failure"]),
        fields: &[FieldSpec {
            name: "flow",
            label: "Library flow",
            summary: "The id of the flow, which the document brings along.",
            kind: FieldKind::Text(""),
        }],
    },
    lower,
};

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    lowering.check_exits(live, &["Success", "Failure"]);
    let mut config = live.config(lowering.told());
    let (flow, at) = (config.text("flow").unwrap_or_default(), config.at("flow"));
    config.close();
    let ends = [lowering.exit(live, "Success"), lowering.exit(live, "Failure")];
    let entry = lowering.library(live, flow, &at, ends);
    lowering.put(live, Op::Pass, vec![entry.into_iter().collect()], Handlers::default());
}
