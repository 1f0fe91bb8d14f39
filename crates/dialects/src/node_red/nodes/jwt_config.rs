//! `jwt-config`: how Ignite's `jwt` nodes sign and check (section 3).

use jose::json::write_value;
use jose::jwa::SignatureAlgorithm;
use plan::{KeySource, SecretRef, Severity};

use super::{Lower, NodeType};
use crate::node_red::lower::Lowering;
use crate::node_red::number::parse_int_of;
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The field that holds the HMAC secret, or a PEM key.
const SECRET_FIELD: &str = "tokensecret";
/// What a configuration may name: what the vendor's library signs with, `none` left out (section 2, D3).
const ALGORITHMS: [&str; 12] =
    ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
/// The largest `exp` that is a NumericDate: 2^53 - 1.
const EXPIRY_MAX: f64 = 9_007_199_254_740_991.0;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "jwt-config",
        category: "config",
        colour: "#3d7e9a",
        summary: "The secret, the algorithm and the lifetime that `jwt` nodes share.",
        inputs: 0,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::text("name", "Name", "What the configuration is called in lists.", ""),
            FieldSpec::new(
                SECRET_FIELD,
                "Token Secret",
                "The HMAC secret as text, or a private key in PEM; wholly `${NAME}`, the variable of that name.",
                FieldKind::Secret,
            ),
            FieldSpec::text("expiresin", "Expires In", "The lifetime of a token in seconds.", "86400"),
            FieldSpec::new(
                "algorithm",
                "Algorithm",
                "The algorithm that signs, and the only one that is accepted when checking.",
                FieldKind::Choice(&[("HS256", "HS256"), ("HS384", "HS384"), ("HS512", "HS512")]),
            ),
        ],
    },
    lower: Lower::Nothing,
};

/// The algorithm of a configuration; if it is none that may be used, that is told.
pub(super) fn algorithm(lowering: &mut Lowering<'_>, config: &Node) -> Option<&'static SignatureAlgorithm> {
    let known = by_name(config.text("algorithm"));
    if known.is_none() {
        tell_unsupported(lowering, config, "algorithm", config.text("algorithm"));
    }
    known
}

/// The algorithm of that name, if nodes may use it.
pub(super) fn by_name(named: &str) -> Option<&'static SignatureAlgorithm> {
    ALGORITHMS.contains(&named).then(|| SignatureAlgorithm::by_name(named).ok()).flatten()
}

/// Tells that a property names no algorithm that may be used.
pub(super) fn tell_unsupported(lowering: &mut Lowering<'_>, node: &Node, property: &str, named: &str) {
    let message = match named {
        "" => "The JWT configuration names no algorithm, so no token is issued or accepted.".to_owned(),
        other => format!("The algorithm `{other}` is not supported, so no token is issued or accepted."),
    };
    let hint = "Choose HS256, HS384 or HS512.";
    lowering.tell(Severity::Stopped, "jwt_algorithm_unsupported", node.spot_of(property), message, hint);
}

/// The lifetime of a configuration in seconds; if it is none, or an unusual one, that is told.
pub(super) fn lifetime_secs(lowering: &mut Lowering<'_>, config: &Node) -> Option<i64> {
    let value = config.get("expiresin");
    let seconds = parse_int_of(value).filter(|seconds| seconds.abs() <= EXPIRY_MAX);
    let spot = config.spot_of("expiresin");
    let Some(seconds) = seconds else {
        let message = "`expiresin` is not a number of seconds, so no token is issued.";
        let hint = "Write whole seconds, such as 86400 for a day.";
        lowering.tell(Severity::Stopped, "jwt_expiresin_invalid", spot, message, hint);
        return None;
    };
    let mut written = Vec::new();
    value.iter().for_each(|value| write_value(&mut written, value));
    let written = String::from_utf8_lossy(&written);
    let plain = written.trim_matches('"').bytes().all(|octet| octet.is_ascii_digit());
    if seconds <= 0.0 || !plain {
        let message = format!("`expiresin` is {written}, which is read as {seconds} seconds.");
        let hint = "Write a positive whole number of seconds.";
        lowering.tell(Severity::Warning, "jwt_expiresin_unusual", spot, message, hint);
    }
    Some(seconds as i64)
}

/// The key of a configuration, which the flow cannot do without.
pub(super) fn key(lowering: &mut Lowering<'_>, config: &Node) -> KeySource {
    let secret = SecretRef { owner: config.id.clone(), field: SECRET_FIELD.into() };
    lowering.need_secret(&secret);
    KeySource::Secret(secret)
}
