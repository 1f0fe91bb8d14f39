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
            FieldSpec {
                name: "name",
                label: "Name",
                summary: "What the node is called; link call nodes may call it by this name.",
                kind: FieldKind::Text(""),
            },
            FieldSpec {
                name: "links",
                label: "Links",
                summary: "The link out nodes that lead here.",
                kind: FieldKind::Nodes,
            },
        ],
    },
    lower: Lower::Op(|_, _| Op::Pass),
};
