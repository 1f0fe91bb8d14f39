//! `comment`: a note for people.

use super::{Lower, NodeType};
use crate::spec::{NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "comment",
        category: "common",
        colour: "#ffffff",
        summary: "A note for people; nothing happens at it.",
        inputs: 0,
        outputs: Outputs::Labelled(&[]),
        fields: &[],
    },
    lower: Lower::Nothing,
};
