//! `group`: nodes that belong together.

use super::{Lower, NodeType};
use crate::spec::{NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "group",
        category: "structure",
        colour: "#dddddd",
        summary: "Nodes that belong together, with their own variables.",
        inputs: 0,
        outputs: Outputs::Labelled(&[]),
        fields: &[],
    },
    lower: Lower::Nothing,
};
