//! `jwt-conf`: how the nodes of node-red-contrib-jwt-claim sign and check (section 6).

use jose::json::Value as Json;
use jose::jwa::SignatureAlgorithm;
use plan::KeySource;

use super::jwt_families::{self as families, SECRET_FIELD};
use super::{Lower, NodeType, jwt_config};
use crate::node_red::lower::Lowering;
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The variable that wins over every configuration's own secret.
const SECRET_VARIABLE: &str = "NODE_RED_NODE_JWT_CLAIM_SECRET";

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "jwt-conf",
        category: "config",
        colour: "#ff7043",
        summary: "The secret, the algorithm and the audience that `jwt sign` and `jwt verify` nodes share.",
        inputs: 0,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::text("name", "Name", "What the configuration is called in lists.", ""),
            FieldSpec::text("audience", "Audience", "The `aud` of tokens, asked for when they are checked.", ""),
            FieldSpec::new(
                "alg",
                "Algorithm",
                "The algorithm that signs, and the only one that is accepted when checking.",
                FieldKind::Choice(&[("HS256", "HS256"), ("HS384", "HS384"), ("HS512", "HS512")]),
            ),
            FieldSpec::new(
                SECRET_FIELD,
                "Secret",
                "The HMAC secret as text; wholly `${NAME}`, the variable of that name.",
                FieldKind::Secret,
            ),
        ],
    },
    lower: Lower::Nothing,
};

/// The algorithm of a configuration, which may stand in a list; if it is none that may be used, that is told.
pub(super) fn algorithm(lowering: &mut Lowering<'_>, config: &Node) -> Option<&'static SignatureAlgorithm> {
    let value = config.get("alg");
    let listed = value.and_then(Json::as_array).and_then(|names| names.first()).or(value);
    let named = listed.and_then(Json::as_text).unwrap_or_default();
    let known = jwt_config::by_name(named);
    if known.is_none() {
        jwt_config::tell_unsupported(lowering, config, "alg", named);
    }
    known
}

/// The audience of a configuration; none if it is empty.
pub(super) fn audience(config: &Node) -> Option<&str> {
    Some(config.text("audience")).filter(|audience| !audience.is_empty())
}

/// The key of a configuration.
pub(super) fn key(lowering: &mut Lowering<'_>, config: &Node) -> KeySource {
    if families::is_set(lowering, SECRET_VARIABLE) {
        return KeySource::Variable(SECRET_VARIABLE.into());
    }
    families::secret(lowering, &config.id, SECRET_FIELD)
}
