//! `link call`: calls a link in node and goes on with what comes back (section 10).

use std::collections::BTreeMap;
use std::sync::Arc;

use jose::json::Value as Json;
use plan::{Callee, Expr, Fault, FaultKind, Op, Path, Severity, Slot, Text, Value, Wire};

use super::link_out::PENDING;
use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::milliseconds_of;
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// How long a call may take if the node does not say.
const TIMEOUT_MS: u64 = 30_000;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "link call",
        category: "common",
        colour: "#dddddd",
        summary: "Calls the flow behind a link in node and sends on what comes back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "linkType",
                "Link type",
                "Whether the target is fixed or named by `msg.target`.",
                FieldKind::Choice(&[("static", "Fixed target"), ("dynamic", "Dynamic target (msg.target)")]),
            ),
            FieldSpec::new("links", "Target", "The link in node that is called.", FieldKind::Nodes),
            FieldSpec::text("timeout", "Timeout", "Seconds until a call that has not come back is an error.", "30"),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    Op::Call {
        callee: callee(lowering, node),
        pending: Path::keys([PENDING]),
        timeout_ms: milliseconds_of(node.get("timeout")).filter(|ms| *ms > 0).unwrap_or(TIMEOUT_MS),
        overdue: fault(FaultKind::CallOverdue, "timeout"),
    }
}

fn callee(lowering: &mut Lowering<'_>, node: &Node) -> Callee {
    let by = |name, nodes| Callee::Named {
        name,
        nodes: Arc::new(nodes),
        unknown: fault(FaultKind::CalleeUnknown, "Error: target link-in node '{name}' not found"),
        ambiguous: fault(FaultKind::CalleeUnknown, "Error: Multiple link-in nodes named '{name}' found"),
    };
    if node.text("linkType") == "dynamic" {
        return by(Expr::Slot(Slot::message(Path::keys(["target"]))), callable(lowering, node));
    }
    if let Some(link) = lowering.link_ins().iter().find(|link| *link.id == *target(node)) {
        return Callee::Node(link.place);
    }
    let message = format!("There is no link in node `{}` to call.", target(node));
    lowering.tell(Severity::Warning, "link_target_missing", node.spot_of("links"), message, "Choose another target.");
    by(Expr::Literal(Value::text(target(node))), BTreeMap::new())
}

fn fault(kind: FaultKind, message: &str) -> Box<Fault> {
    Box::new(Fault::new(kind, message))
}

fn target(node: &Node) -> &str {
    let links = node.get("links").and_then(Json::as_array).unwrap_or_default();
    links.first().and_then(Json::as_text).unwrap_or_default()
}

/// The link in nodes by id and by name; where the caller's own tab has one by a name, others by that name do not count.
fn callable(lowering: &Lowering<'_>, node: &Node) -> BTreeMap<Text, Vec<Wire>> {
    let mut all: BTreeMap<Text, Vec<Wire>> = BTreeMap::new();
    for near in [true, false] {
        let named = lowering.link_ins().iter().filter(|link| (link.section == node.section) == near);
        let known: Vec<Text> = all.keys().cloned().collect();
        for link in named.filter(|link| !link.name.is_empty() && !known.contains(&link.name)) {
            all.entry(link.name.clone()).or_default().push(link.place);
        }
    }
    for link in lowering.link_ins() {
        all.insert(link.id.clone(), vec![link.place]);
    }
    all
}
