//! `link out`: messages go on at link in nodes, or back to the link call node that called (section 10).

use plan::{Op, Path};

use super::{Lower, NodeType};
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// Where a message keeps the calls that it has to return from.
pub(super) const PENDING: &str = "_linkSource";

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "link out",
        category: "common",
        colour: "#dddddd",
        summary: "Sends messages to link in nodes, or back to the link call node that called.",
        inputs: 1,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "mode",
                "Mode",
                "Where messages go.",
                FieldKind::Choice(&[
                    ("link", "Send to all connected link nodes"),
                    ("return", "Return to calling link node"),
                ]),
            ),
            FieldSpec::new("links", "Links", "The link in nodes that messages go to.", FieldKind::Nodes),
        ],
    },
    lower: Lower::Op(
        |_, live| {
            if returns(&live.node) { Op::Return { pending: Path::keys([PENDING]) } } else { Op::Pass }
        },
    ),
};

/// Whether messages go back to their caller.
pub(super) fn returns(node: &Node) -> bool {
    node.text("mode") == "return"
}
