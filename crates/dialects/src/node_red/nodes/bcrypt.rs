//! `bcrypt`: Ignite's node that hashes a password, or holds one against a hash (section 6).

use plan::{Edit, Expr, Op, PasswordPlan, Path, Severity, Slot, Value};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::parse_int_of;
use crate::node_red::property;
use crate::node_red::syntax::Node;
use crate::node_red::typed::Unfit;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The cost if the node names none.
const COST: f64 = 10.0;
/// The highest cost that runs here.
const COST_MAX: u32 = 15;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "bcrypt",
        category: "security",
        colour: "#3d7e9a",
        summary: "Hashes a property with bcrypt, or sets `msg.match` to whether it is the password of a hash.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "action",
                "Action",
                "What is done.",
                FieldKind::Choice(&[("encrypt", "Encrypt"), ("verify", "Verify")]),
            ),
            FieldSpec::text("field", "Field", "The property that holds the password.", "payload"),
            FieldSpec::text("hash", "Hash", "The property that holds the hash.", ""),
            FieldSpec::text("rounds", "Rounds", "The cost: two to this power are the rounds, 4 to 15.", "10"),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    match plan(node) {
        Ok(Some(plan)) => {
            if matches!(plan, PasswordPlan::Hash { cost, .. } if cost > COST_MAX) {
                let message = format!("A cost above {COST_MAX} takes seconds and more for each password.");
                let unfit = Unfit { code: "cost_too_high", message };
                return Op::Raise(*unfit.tell(lowering, node, "rounds"));
            }
            Op::Password(Box::new(plan))
        }
        Ok(None) if node.text("action") == "verify" => {
            let message = "No property is named that holds a hash, so nothing ever matches.";
            lowering.tell(Severity::Warning, "hash_missing", node.spot(), message, "Name the property of the hash.");
            let to = Slot::message(Path::keys(["match"]));
            Op::Edit(vec![Edit { to, value: Expr::Literal(Value::Bool(false)) }])
        }
        Ok(None) => Op::Pass,
        Err((unfit, field)) => Op::Raise(*unfit.tell(lowering, node, field)),
    }
}

/// What the node does; none if it lets messages pass, or matches nothing.
fn plan(node: &Node) -> Result<Option<PasswordPlan>, (Unfit, &'static str)> {
    let field = path(node, "field", "payload")?;
    let of = Expr::Message(field.clone());
    match node.text("action") {
        "" | "encrypt" => Ok(Some(PasswordPlan::Hash { of, cost: cost(node), into: field })),
        "verify" if !node.text("hash").is_empty() => {
            let hash = Expr::Message(path(node, "hash", "")?);
            Ok(Some(PasswordPlan::Check { of, hash, into: Path::keys(["match"]) }))
        }
        _ => Ok(None),
    }
}

fn cost(node: &Node) -> u32 {
    let named = parse_int_of(node.get("rounds")).filter(|cost| *cost != 0.0);
    named.unwrap_or(COST).clamp(4.0, 31.0) as u32
}

fn path(node: &Node, name: &'static str, usual: &str) -> Result<Path, (Unfit, &'static str)> {
    let text = Some(node.text(name)).filter(|text| !text.is_empty()).unwrap_or(usual);
    property::parse(text).ok_or_else(|| (Unfit::value(format!("`{text}` is no path to a property.")), name))
}
