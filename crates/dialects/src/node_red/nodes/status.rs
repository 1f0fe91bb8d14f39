//! `status`: tells what other nodes show as their status.

use super::{Lower, NodeType};
use crate::node_red::events::Event;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "status",
        category: "common",
        colour: "#c0edc0",
        summary: "Sends a new message for each status of other nodes of its tab, in `msg.status`.",
        inputs: 0,
        outputs: Outputs::Labelled(&["status"]),
        fields: &[FieldSpec::new(
            "scope",
            "Report status from",
            "All nodes of the tab, those of the same group, or the ones in the list.",
            FieldKind::Nodes,
        )],
    },
    lower: Lower::Listener(Event::Status),
};
