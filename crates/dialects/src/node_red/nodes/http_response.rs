//! `http response`: the message becomes the answer to its request (section 11).

use jose::json::{Value as Json, write_value};
use plan::{JsonRules, Op, Text, Value, read_json};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::lowered::ResponseNode;
use crate::node_red::number::parse_int_of;
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "http response",
        category: "network",
        colour: "#e7e7ae",
        summary: "Answers the request that the message came from with `msg.payload`.",
        inputs: 1,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("statusCode", "Status code", "The status code; left blank, `msg.statusCode` or 200.", ""),
            FieldSpec::new(
                "headers",
                "Headers",
                "Headers of the answer; they win over `msg.headers`.",
                FieldKind::Pairs,
            ),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let status_code = parse_int_of(node.get("statusCode")).filter(|code| *code != 0.0).map(|code| code as i64);
    let (node, headers) = (node.id.clone(), headers(node));
    Op::Reply(lowering.add_reply(ResponseNode { node, status_code, headers, by_hand: false }))
}

fn headers(node: &Node) -> Vec<(Text, Value)> {
    let pairs = node.get("headers").and_then(Json::as_object);
    pairs.into_iter().flat_map(|pairs| pairs.iter()).map(|(name, value)| (name.into(), value_of(value))).collect()
}

/// A value of the document as a message holds it.
fn value_of(value: &Json) -> Value {
    let mut text = Vec::new();
    write_value(&mut text, value);
    read_json(&text, jose::json::Limits::DOCUMENT, JsonRules::Ecmascript)
        .expect("a tree that was read within the limits is written within them")
}
