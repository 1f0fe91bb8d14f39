//! `xml`: turns XML text into objects and back.

use plan::{Edit, Expr, Op, Path, Value};

use super::{Lower, NodeType};
use crate::node_red::formats::xml;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed;
use crate::spec::{FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "xml",
        category: "parser",
        colour: "#debd5c",
        summary: "Turns a property from XML text into an object, or back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("property", "Property", "What is converted.", "payload"),
            FieldSpec::text("attr", "Attributes in", "The member that holds attributes; empty for `$`.", ""),
            FieldSpec::text("chr", "Text in", "The member that holds text; empty for `_`.", ""),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    match typed::place(node) {
        Ok(place) => {
            let own = |name| Expr::Literal(Value::text(node.text(name)));
            let options = Expr::Message(Path::keys(["options"]));
            let to = vec![Expr::Slot(place.clone()), options, own("attr"), own("chr")];
            Op::Edit(vec![Edit { to: place, value: Expr::Applied { function: xml::TOGGLE, to } }])
        }
        Err(unfit) => Op::Raise(*unfit.tell(lowering, node, "property")),
    }
}
