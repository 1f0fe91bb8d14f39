//! `subflow:<id>`: an instance of a subflow; messages that reach it enter the copies behind it.

use plan::Op;

use super::{Lower, NodeType};
use crate::node_red::subflows::INSTANCE;
use crate::spec::{NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: INSTANCE,
        category: "subflows",
        colour: "#dddddd",
        summary: "An instance of a subflow, with its own variables.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[],
    },
    lower: Lower::Op(|_, _| Op::Pass),
};
