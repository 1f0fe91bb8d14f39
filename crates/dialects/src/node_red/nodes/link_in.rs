//! `link in`: messages of link out and link call nodes arrive here (section 10).

use plan::Op;

use super::{Lower, NodeType};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "link in",
        category: "common",
        colour: "#dddddd",
        summary: "Passes on the messages of link out and link call nodes.",
        inputs: 0,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::text("name", "Name", "What the node is called; link call nodes may call it by this name.", ""),
            FieldSpec::new("links", "Links", "The link out nodes that lead here.", FieldKind::Nodes),
        ],
    },
    lower: Lower::Op(|_, _| Op::Pass),
};
