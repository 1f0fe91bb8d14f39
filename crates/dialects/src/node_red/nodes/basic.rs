//! `basic`: Ignite's node that lets callers through who show a name and a password (section 6).

use plan::{Expr, Fault, FaultKind, Op, PasswordPlan, Path, SecretRef};

use super::{Lower, NodeType, basic_config};
use crate::node_red::lower::{Live, Lowering};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "basic",
        category: "security",
        colour: "#3d7e9a",
        summary: "Sends the message over the first output if its request shows the right name and password.",
        inputs: 1,
        outputs: Outputs::Labelled(&["Authorized", "Unauthorized"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "basicconfig",
                "Configuration",
                "The name and the password.",
                FieldKind::Config("basic-config"),
            ),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let Some(config) = lowering.config(&live.node, "basicconfig", basic_config::TYPE.spec.kind) else {
        return Op::Raise(fault("ERR_BASIC_CONFIG_MISSING", "The basic node has no configuration."));
    };
    let password = SecretRef { owner: config.id.clone(), field: basic_config::PASSWORD.into() };
    lowering.need_secret(&password);
    let headers = Expr::Require {
        of: Box::new(Expr::Message(Path::keys(["req", "headers"]))),
        fault: Box::new(fault("ERR_BASIC_NO_REQUEST", "The message has no request, so nobody signs in.")),
    };
    let shown = Expr::Member { of: Box::new(headers), path: Path::keys(["authorization"]) };
    let missing = Box::new(fault("ERR_BASIC_PASSWORD_MISSING", "No password is set for the configuration."));
    Op::Password(Box::new(PasswordPlan::SignIn { shown, user: config.text("username").into(), password, missing }))
}

fn fault(code: &str, message: &str) -> Fault {
    Fault::new(FaultKind::Configuration, message).with_code(code)
}
