//! `complete`: tells when other nodes are done with a message.

use super::{Lower, NodeType};
use crate::node_red::events::Event;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "complete",
        category: "common",
        colour: "#c0edc0",
        summary: "Sends a copy of each message that the chosen nodes are done with, with `msg.complete.source`.",
        inputs: 0,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[FieldSpec::new("scope", "Nodes", "The nodes that are listened to.", FieldKind::Nodes)],
    },
    lower: Lower::Listener(Event::Done),
};
