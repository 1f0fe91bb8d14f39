//! `json`: turns JSON text into values and back (section 13).

use plan::{Edit, Expr, JsonWay, Op};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// Blanks for each level where the text shall be pretty.
const INDENT: u8 = 4;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "json",
        category: "parser",
        colour: "#debd5c",
        summary: "Turns a property from JSON text into a value, or back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec { name: "name", label: "Name", summary: "What the node is called.", kind: FieldKind::Text("") },
            FieldSpec {
                name: "action",
                label: "Action",
                summary: "Which way it goes.",
                kind: FieldKind::Choice(&[
                    ("", "Convert between text and value"),
                    ("str", "Always to text"),
                    ("obj", "Always to a value"),
                ]),
            },
            FieldSpec {
                name: "property",
                label: "Property",
                summary: "What is converted.",
                kind: FieldKind::Text("payload"),
            },
            FieldSpec {
                name: "pretty",
                label: "Format JSON text",
                summary: "Whether the text is broken into lines.",
                kind: FieldKind::Flag(false),
            },
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let property = Some(node.text("property")).filter(|text| !text.is_empty()).unwrap_or("payload");
    let place = match typed::slot(node, "msg", property) {
        Ok(place) => place,
        Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "property")),
    };
    let way = match node.text("action") {
        "str" => JsonWay::Write,
        "obj" => JsonWay::Read,
        _ => JsonWay::Toggle,
    };
    let indent = if node.flag("pretty") { INDENT } else { 0 };
    let value = Expr::Json { of: Box::new(Expr::Slot(place.clone())), way, indent };
    Op::Edit(vec![Edit { to: place, value }])
}
