//! `range`: scales a number from one range to another.

use jose::json::Value as Json;
use plan::{Expr, Number, Op, Value};

use super::{Lower, NodeType};
use crate::node_red::formats::range;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The properties that hold the ends of the ranges.
const ENDS: [&str; 4] = ["minin", "maxin", "minout", "maxout"];

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "range",
        category: "function",
        colour: "#e2d96e",
        summary: "Scales a number from one range to another.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("property", "Property", "What is scaled.", "payload"),
            FieldSpec::new(
                "action",
                "Action",
                "What is done with numbers beyond the input range.",
                FieldKind::Choice(&[
                    ("scale", "Scale the property"),
                    ("clamp", "Scale and limit to the target range"),
                    ("roll", "Scale and wrap within the target range"),
                    ("drop", "Scale, but drop the message outside of the input range"),
                ]),
            ),
            FieldSpec::text("minin", "Input from", "Where the input begins.", ""),
            FieldSpec::text("maxin", "Input to", "Where the input ends.", ""),
            FieldSpec::text("minout", "Target from", "Where the target begins.", ""),
            FieldSpec::text("maxout", "Target to", "Where the target ends.", ""),
            FieldSpec::flag("round", "Round to whole numbers", "Whether the result is a whole number.", false),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let place = match typed::place(node) {
        Ok(place) => place,
        Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "property")),
    };
    let end = |name: &str| match node.get(name) {
        None => Value::Number(Number::Float(f64::NAN)),
        Some(Json::Null) => Value::integer(0),
        Some(end) => Value::Number(typed::number(&typed::text(Some(end)))),
    };
    let settings =
        [Value::list(ENDS.map(end).to_vec()), Value::text(node.text("action")), Value::Bool(node.flag("round"))];
    let to = std::iter::once(Expr::Slot(place.clone())).chain(settings.map(Expr::Literal)).collect();
    Op::Each { items: Expr::Applied { function: range::SCALE, to }, into: vec![("value".into(), place)] }
}
