//! `basic-config`: the name and password that Ignite's `basic` nodes ask for (section 6).

use super::{Lower, NodeType};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The field that holds the password.
pub(super) const PASSWORD: &str = "password";

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "basic-config",
        category: "config",
        colour: "#3d7e9a",
        summary: "The name and the password that `basic` nodes share.",
        inputs: 0,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("username", "Username", "Who signs in.", ""),
            FieldSpec::new(
                PASSWORD,
                "Password",
                "What proves it; wholly `${NAME}`, the variable of that name.",
                FieldKind::Secret,
            ),
        ],
    },
    lower: Lower::Nothing,
};
