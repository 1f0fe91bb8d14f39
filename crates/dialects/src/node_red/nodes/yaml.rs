//! `yaml`: turns YAML text into values and back.

use plan::{Edit, Expr, Op};

use super::{Lower, NodeType};
use crate::node_red::formats::yaml;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed;
use crate::spec::{FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "yaml",
        category: "parser",
        colour: "#debd5c",
        summary: "Turns a property from YAML text into a value, or back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[FieldSpec::NAME, FieldSpec::text("property", "Property", "What is converted.", "payload")],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    match typed::place(&live.node) {
        Ok(to) => {
            let value = Expr::Applied { function: yaml::TOGGLE, to: vec![Expr::Slot(to.clone())] };
            Op::Edit(vec![Edit { to, value }])
        }
        Err(unfit) => Op::Raise(*unfit.tell(lowering, &live.node, "property")),
    }
}
