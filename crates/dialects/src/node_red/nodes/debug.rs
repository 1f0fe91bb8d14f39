//! `debug`: shows messages in the log (section 13); the sidebar of the editor is not served yet.

use jose::json::Value as Json;
use plan::{Expr, LogLevel, Op, Path, Severity};

use super::{Lower, NodeType};
use crate::node_red::jsonata;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::property;
use crate::spec::{FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "debug",
        category: "common",
        colour: "#87a980",
        summary: "Shows a property of each message, or the whole of it, in the log.",
        inputs: 1,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::text(
                "complete",
                "Output",
                "The property that is shown; `true` for the whole message.",
                "payload",
            ),
            FieldSpec::flag("active", "Active", "Whether anything is shown at all.", true),
            FieldSpec::flag("console", "To the system console", "Whether messages are shown in the log.", false),
            FieldSpec::NAME,
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let silent = node.get("active").and_then(Json::as_bool) == Some(false) || !is_on(node.get("console"));
    if silent {
        return Op::Pass;
    }
    match shown(lowering, live) {
        Some(value) => Op::Log { level: LogLevel::Info, value },
        None => {
            let message = "What the node shows is no path into the message, so it shows nothing.";
            let hint = "Choose a property of the message, or the whole of it.";
            lowering.tell(Severity::Warning, "debug_expression", node.spot_of("complete"), message, hint);
            Op::Pass
        }
    }
}

/// Flags of this node are booleans in new documents and texts in old ones.
fn is_on(flag: Option<&Json>) -> bool {
    flag.is_some_and(|flag| flag.as_bool() == Some(true) || flag.as_text() == Some("true"))
}

fn shown(lowering: &mut Lowering<'_>, live: &Live) -> Option<Expr> {
    let node = &live.node;
    let complete = node.get("complete");
    if node.text("targetType") == "full" || is_on(complete) {
        return Some(Expr::Message(Path::default()));
    }
    match complete.and_then(Json::as_text) {
        None | Some("" | "false") => Some(Expr::Message(Path::keys(["payload"]))),
        Some(source) if node.text("targetType") == "jsonata" => Some(jsonata::expr(lowering, live, source)),
        Some(path) if matches!(node.text("targetType"), "" | "msg") => property::parse(path).map(Expr::Message),
        Some(_) => None,
    }
}
