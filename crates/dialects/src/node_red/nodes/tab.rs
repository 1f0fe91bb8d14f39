//! `tab`: a page of the document.

use super::{Lower, NodeType};
use crate::spec::{NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "tab",
        category: "structure",
        colour: "#dddddd",
        summary: "A page of the document, with its own variables.",
        inputs: 0,
        outputs: Outputs::Labelled(&[]),
        fields: &[],
    },
    lower: Lower::Nothing,
};
