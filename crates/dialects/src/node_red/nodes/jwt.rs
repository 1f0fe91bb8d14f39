//! `jwt`: Ignite's node that issues a token or checks one (sections 2 to 4).

use std::collections::BTreeMap;

use jose::json::Value as Json;
use jose::jwa::{SignatureAlgorithm, SignatureFamily, Switch, Switches};
use plan::{
    AbsentClaim, ClaimPlan, ExpiryRules, Expr, Fault, FaultKind, HeaderMember, JsonRules, Lifetime, Op, Path,
    TokenPlan, VerifyPlan,
};

use super::{Lower, NodeType, jwt_config};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The code of section 2, D3.
pub(in crate::node_red) const ALGORITHM_UNSUPPORTED: &str = "ERR_JWT_ALGORITHM_UNSUPPORTED";
/// The code of section 2, D5.
pub(in crate::node_red) const EXPIRESIN_INVALID: &str = "ERR_JWT_EXPIRESIN_INVALID";

/// The code of section 4 for a message without a request.
pub(super) const NO_REQUEST: &str = "ERR_JWT_NO_REQUEST";

/// An HMAC secret may have any length; a short one is only warned of (section 3).
pub(super) const SWITCHES: Switches = Switches::NONE.with(Switch::WeakHmac);

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "jwt",
        category: "security",
        colour: "#3d7e9a",
        summary: "Issues a JSON Web Token that holds `msg.payload`, or checks the one of the request.",
        inputs: 1,
        outputs: Outputs::Field("outputs"),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "jwtconfig",
                "Configuration",
                "The secret, the algorithm and the lifetime.",
                FieldKind::Config("jwt-config"),
            ),
            FieldSpec::new(
                "generatejwt",
                "Action",
                "Whether tokens are issued or checked.",
                FieldKind::Choice(&[("true", "Generate"), ("false", "Validate")]),
            ),
            FieldSpec::new(
                "outputs",
                "Outputs",
                "One when issuing; \"Authorized\" and \"Unauthorized\" when checking.",
                FieldKind::Number(1),
            ),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let lowered = match lowering.config(node, "jwtconfig", jwt_config::TYPE.spec.kind) {
        None => Err(missing_config()),
        Some(config) if generates(node) => issue(lowering, &config),
        Some(config) => verify(lowering, &config),
    };
    lowered.unwrap_or_else(Op::Raise)
}

/// Only `true` and `"true"` generate.
fn generates(node: &Node) -> bool {
    match node.get("generatejwt") {
        Some(Json::Bool(value)) => *value,
        Some(Json::Text(text)) => text == "true",
        Some(Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_)) | None => false,
    }
}

/// Section 3: `{data: msg.payload, exp, iat}`, the token to `msg.payload`.
fn issue(lowering: &mut Lowering<'_>, config: &Node) -> Result<Op, Fault> {
    let algorithm = jwt_config::algorithm(lowering, config);
    let lifetime = jwt_config::lifetime_secs(lowering, config);
    let token = TokenPlan {
        algorithm: algorithm.ok_or_else(unsupported_algorithm)?,
        switches: SWITCHES,
        header: vec![HeaderMember::Algorithm, HeaderMember::Type("JWT".into())],
        claims: vec![
            ClaimPlan::From { name: "data".into(), value: Expr::Message(payload()), absent: AbsentClaim::LeaveOut },
            ClaimPlan::Expires,
            ClaimPlan::IssuedAt,
        ],
        lifetime: Lifetime::Seconds(lifetime.ok_or_else(invalid_expiry)?),
        key: jwt_config::key(lowering, config),
    };
    Ok(Op::Issue { token: lowering.add_token(token), into: payload() })
}

/// Section 4: the Authorization header without its first `"Bearer "`, the claims to `msg.tokenvalue`.
fn verify(lowering: &mut Lowering<'_>, config: &Node) -> Result<Op, Fault> {
    let algorithm = jwt_config::algorithm(lowering, config).ok_or_else(unsupported_algorithm)?;
    let any_hmac = lowering.settings().jwt_any_hmac && is_hmac(algorithm);
    let policy = VerifyPlan {
        token: bearer_token(),
        algorithms: if any_hmac { all_hmac() } else { vec![algorithm] },
        switches: SWITCHES,
        key: jwt_config::key(lowering, config),
        times: ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: 0 },
        audience: None,
        listed: None,
        claims: JsonRules::Ecmascript,
        any_claims: true,
        prepare: Vec::new(),
        refused: BTreeMap::new(),
    };
    Ok(Op::Verify { policy: lowering.add_policy(policy), into: Path::keys(["tokenvalue"]) })
}

fn is_hmac(algorithm: &SignatureAlgorithm) -> bool {
    matches!(algorithm.family, SignatureFamily::Hmac(_))
}

/// What a validating node accepts when `flows.compat.jwt_any_hmac` is on (section 2, D4).
fn all_hmac() -> Vec<&'static SignatureAlgorithm> {
    SignatureAlgorithm::ALL.iter().filter(|row| is_hmac(row)).collect()
}

fn bearer_token() -> Expr {
    let headers = Expr::Require {
        of: Box::new(Expr::Message(Path::keys(["req", "headers"]))),
        fault: Box::new(
            Fault::new(FaultKind::Configuration, "The message has no request, so there is no token to check.")
                .with_code(NO_REQUEST),
        ),
    };
    let header = Expr::Member { of: Box::new(headers), path: Path::keys(["authorization"]) };
    Expr::WithoutFirst { cut: "Bearer ".into(), of: Box::new(header) }
}

fn payload() -> Path {
    Path::keys(["payload"])
}

/// The fault of a node whose configuration is not there.
pub(super) fn missing_config() -> Fault {
    Fault::new(FaultKind::Configuration, "The jwt node has no JWT configuration.").with_code("ERR_JWT_CONFIG_MISSING")
}

/// The fault of a node that names no algorithm which may be used.
pub(super) fn unsupported_algorithm() -> Fault {
    Fault::new(FaultKind::AlgorithmUnsupported, "The algorithm of the JWT configuration is not supported.")
        .with_code(ALGORITHM_UNSUPPORTED)
}

/// The fault of a node whose lifetime is none.
pub(super) fn invalid_expiry() -> Fault {
    Fault::new(FaultKind::ExpiryInvalid, "The expiry of the JWT configuration is not a number of seconds.")
        .with_code(EXPIRESIN_INVALID)
}
