//! `inject`: sends messages by itself, once or again and again (section 13).

use jose::json::{Object, Value as Json};
use plan::{Calendar, Expr, Path, Severity, ShapeStep, TriggerKind};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::milliseconds_of;
use crate::node_red::property;
use crate::node_red::syntax::Node;
use crate::node_red::typed;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// What a node that is to send once waits if it does not say how long.
const ONCE_DELAY_MS: u64 = 100;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "inject",
        category: "common",
        colour: "#a6bbcf",
        summary: "Sends a message when the flow starts, at intervals, or at points in time.",
        inputs: 0,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new("props", "Properties", "What the message holds.", FieldKind::Assignments),
            FieldSpec::flag("once", "Inject once at the start", "Sends a message soon after the flow starts.", false),
            FieldSpec::text("onceDelay", "Delay", "Seconds from the start to that message.", "0.1"),
            FieldSpec::text("repeat", "Repeat", "Seconds from one message to the next; empty for none.", ""),
            FieldSpec::text("crontab", "At a specific time", "A schedule in the form of crontab, in UTC.", ""),
        ],
    },
    lower: Lower::Schedule(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Option<TriggerKind> {
    let node = &live.node;
    let every_ms = milliseconds_of(node.get("repeat"));
    let calendar = if every_ms.is_none() { calendar(lowering, node) } else { None };
    let once_ms = || milliseconds_of(node.get("onceDelay")).unwrap_or(ONCE_DELAY_MS);
    let first_ms = if node.flag("once") { Some(once_ms()) } else { every_ms };
    let id = ShapeStep::Set(Path::keys(["_msgid"]), Expr::FreshId);
    let own = properties(node);
    let own = own.iter().filter_map(|property| step(lowering, node, property));
    let message = own.chain(std::iter::once(id)).collect();
    Some(TriggerKind::Schedule { message, first_ms, every_ms, calendar })
}

fn calendar(lowering: &mut Lowering<'_>, node: &Node) -> Option<Calendar> {
    let text = node.text("crontab");
    let why = match Calendar::parse(text) {
        Ok(calendar) => return Some(calendar),
        Err(_) if text.is_empty() => return None,
        Err(why) => why,
    };
    let message = format!("The schedule `{text}` is none, so the node sends nothing at its times: {why}");
    let hint = "Write minute, hour, day of the month, month and day of the week; they are those of UTC.";
    lowering.tell(Severity::Stopped, "inject_crontab", node.spot_of("crontab"), message, hint);
    None
}

/// The list of properties; an old node has a payload and a topic instead.
fn properties(node: &Node) -> Vec<Object> {
    let own = |name: &str| node.get(name).cloned();
    let payload = || [("v", own("payload")), ("vt", own("payloadType"))];
    let topic = || [("v", own("topic")), ("vt", Some(Json::Text("str".to_owned())))];
    let Some(list) = node.get("props").and_then(Json::as_array) else {
        return vec![entry("payload", payload()), entry("topic", topic())];
    };
    let listed =
        list.iter().filter_map(Json::as_object).map(|property| match property.get("p").and_then(Json::as_text) {
            Some("payload") if property.get("v").is_none() => entry("payload", payload()),
            Some("topic") if property.get("v").is_none() => entry("topic", topic()),
            Some(_) | None => property.clone(),
        });
    listed.collect()
}

fn entry(path: &str, members: [(&str, Option<Json>); 2]) -> Object {
    let mut entry = Object::new();
    let _none = entry.insert("p".to_owned(), Json::Text(path.to_owned()));
    for (name, value) in members {
        if let Some(value) = value {
            let _none = entry.insert(name.to_owned(), value);
        }
    }
    entry
}

fn step(lowering: &mut Lowering<'_>, node: &Node, property: &Object) -> Option<ShapeStep> {
    let text = |name: &str| property.get(name).and_then(Json::as_text).unwrap_or_default();
    let (path, kind) = (text("p"), text("vt"));
    if path.is_empty() {
        return None;
    }
    let step = property::parse(path).zip(value(lowering, node, kind, property.get("v")));
    if step.is_none() {
        let message =
            format!("The property `{path}` of type `{kind}` cannot be set here, so the message comes without it.");
        let hint = "Use a text, number, boolean, JSON, octets, variable or timestamp.";
        lowering.tell(Severity::Warning, "inject_property", node.spot_of("props"), message, hint);
    }
    step.map(|(path, value)| ShapeStep::Set(path, value))
}

fn value(lowering: &Lowering<'_>, node: &Node, kind: &str, value: Option<&Json>) -> Option<Expr> {
    match kind {
        // A message that starts by itself has no other to read from, and asks for nothing.
        "msg" | "flow" | "global" => None,
        _ => typed::expr(lowering, node, kind, value).ok(),
    }
}
