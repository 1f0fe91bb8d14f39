//! `junction`: wires meet and part here.

use plan::Op;

use super::{Lower, NodeType};
use crate::spec::{NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "junction",
        category: "structure",
        colour: "#d9d9d9",
        summary: "Passes every message on; wires meet and part here.",
        inputs: 1,
        outputs: Outputs::Labelled(&[""]),
        fields: &[],
    },
    lower: Lower::Op(|_, _| Op::Pass),
};
