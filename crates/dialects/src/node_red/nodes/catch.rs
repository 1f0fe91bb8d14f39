//! `catch`: passes on the errors of other nodes.

use super::{Lower, NodeType};
use crate::node_red::events::Event;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "catch",
        category: "common",
        colour: "#e49191",
        summary: "Hears of errors in other nodes of its tab and sends the message on, with the error in `msg.error`.",
        inputs: 0,
        outputs: Outputs::Labelled(&["error"]),
        fields: &[
            FieldSpec::new(
                "scope",
                "Catch errors from",
                "All nodes of the tab, those of the same group, or the ones in the list.",
                FieldKind::Nodes,
            ),
            FieldSpec::flag(
                "uncaught",
                "Ignore errors handled by other catch nodes",
                "Hears only of errors that no other catch node took.",
                false,
            ),
        ],
    },
    lower: Lower::Listener(Event::Error),
};
