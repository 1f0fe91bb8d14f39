//! `decode`: Ignite's node that shows the claims of a token which nobody has checked (section 6).

use plan::{Edit, Expr, Op, Path, Severity, Slot};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::spec::{FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "decode",
        category: "security",
        colour: "#3d7e9a",
        summary: "Sets `msg.payload` to the claims of the token in it, without checking the token.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[FieldSpec::NAME],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let message = "The token is read and not checked: whoever sends the message decides what its claims say.";
    let hint = "Check the token with a jwt node first, or trust nothing that it says.";
    lowering.tell(Severity::Warning, "token_unchecked", live.node.spot(), message, hint);
    let payload = Path::keys(["payload"]);
    let value = Expr::UncheckedClaims(Box::new(Expr::Message(payload.clone())));
    Op::Edit(vec![Edit { to: Slot::message(payload), value }])
}
