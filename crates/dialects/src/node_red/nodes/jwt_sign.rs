//! `jwt sign`: issues a token, in the way of the package that the node is of (section 6).

use jose::json::Value as Json;
use plan::{AbsentClaim, ClaimPlan, Clash, Expr, Fault, HeaderMember, Lifetime, Op, Path, Severity, TokenPlan, Value};

use super::jwt::{SWITCHES, invalid_expiry, missing_config, unsupported_algorithm};
use super::jwt_families::{self as families, Family};
use super::{Lower, NodeType, jwt_conf, jwt_config};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::syntax::Node;
use crate::node_red::timespan::{self, Span};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The lifetime of a token if the message asks for none (node-red-contrib-jwt-claim).
const CLAIM_LIFETIME_SECS: i64 = 86_400;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "jwt sign",
        category: "function",
        colour: "#a6bbcf",
        summary: "Issues a JSON Web Token whose claims are a property of the message.",
        inputs: 1,
        outputs: Outputs::Labelled(&["token"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "alg",
                "Algorithm",
                "The algorithm that signs.",
                FieldKind::Choice(&[
                    ("HS256", "HS256"),
                    ("HS384", "HS384"),
                    ("HS512", "HS512"),
                    ("RS256", "RS256"),
                    ("RS384", "RS384"),
                    ("RS512", "RS512"),
                    ("ES256", "ES256"),
                    ("ES384", "ES384"),
                    ("ES512", "ES512"),
                ]),
            ),
            FieldSpec::new(
                "exp",
                "Expires in",
                "The lifetime in seconds, or with a unit, such as 1h.",
                FieldKind::Number(3600),
            ),
            FieldSpec::new(
                families::SECRET_FIELD,
                "Secret",
                "The HMAC secret as text; wholly `${NAME}`, the variable of that name.",
                FieldKind::Secret,
            ),
            FieldSpec::new(
                families::PEM_FIELD,
                "Private key",
                "The private key in PEM, for algorithms other than HMAC.",
                FieldKind::Secret,
            ),
            FieldSpec::text("jwkkid", "Key id", "The `kid` of the token's header.", ""),
            FieldSpec::text("signvar", "Claims", "The property of the message that holds the claims.", "payload"),
            FieldSpec::text("storetoken", "Token", "The property of the message that takes the token.", "payload"),
            FieldSpec::new(
                "jwtConf",
                "Configuration",
                "The configuration, in flows that have one instead of the other fields.",
                FieldKind::Config("jwt-conf"),
            ),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let lowered = match families::family(&live.node) {
        Some(Family::JwtClaim) => with_config(lowering, &live.node),
        Some(family) => alone(lowering, &live.node, family),
        None => Err(missing_config()),
    };
    lowered.unwrap_or_else(Op::Raise)
}

/// The first two packages: the claims from `msg[signvar]`, the token to `msg[storetoken]`.
fn alone(lowering: &mut Lowering<'_>, node: &Node, family: Family) -> Result<Op, Fault> {
    if families::refuse_key_url(lowering, node) {
        return Err(unsupported_algorithm());
    }
    let algorithm = jwt_config::by_name(node.text("alg"));
    if algorithm.is_none() {
        jwt_config::tell_unsupported(lowering, node, "alg", node.text("alg"));
    }
    let algorithm = algorithm.ok_or_else(unsupported_algorithm)?;
    let typ = HeaderMember::Type("JWT".into());
    let kid = node.get("jwkkid").and_then(Json::as_text);
    let (header, clash) = match kid.filter(|_| family == Family::Jwt) {
        _ if family == Family::Jwt2 => (vec![typ, HeaderMember::Algorithm], Clash::Replace),
        Some(kid) => (vec![HeaderMember::Algorithm, typ, HeaderMember::KeyIdNamed(kid.into())], Clash::Refuse),
        None => (vec![HeaderMember::Algorithm, typ], Clash::Refuse),
    };
    let given = Expr::Message(families::member(node, "signvar"));
    let token = TokenPlan {
        algorithm,
        switches: SWITCHES,
        header,
        claims: vec![ClaimPlan::Given { of: given, clash }, ClaimPlan::IssuedAt, ClaimPlan::Expires],
        lifetime: lifetime(lowering, node, family)?,
        key: families::key(lowering, node, family, algorithm, "NODE_RED_NODE_JWT_PRIVATE_KEY"),
    };
    Ok(Op::Issue { token: lowering.add_token(token), into: families::member(node, "storetoken") })
}

fn lifetime(lowering: &mut Lowering<'_>, node: &Node, family: Family) -> Result<Lifetime, Fault> {
    match timespan::of(node.get("exp")) {
        Span::Seconds(seconds) => Ok(Lifetime::Seconds(seconds)),
        Span::Milliseconds(seconds) => {
            let message = format!("`exp` has no unit, so it counts milliseconds: a token lives {seconds} seconds.");
            let hint = "Write a number of seconds, or a unit, such as \"3600s\".";
            lowering.tell(Severity::Warning, "jwt_exp_milliseconds", node.spot_of("exp"), message, hint);
            Ok(Lifetime::Seconds(seconds))
        }
        Span::Absent if family == Family::Jwt2 => Ok(Lifetime::Unbounded),
        Span::Absent | Span::Invalid => {
            let message = "`exp` is no span of time, so no token is issued.";
            let hint = "Write whole seconds, such as 3600, or a unit, such as \"1h\".";
            lowering.tell(Severity::Stopped, "jwt_expiresin_invalid", node.spot_of("exp"), message, hint);
            Err(invalid_expiry())
        }
    }
}

/// The third package: the claims from `msg.payload`, the token to `msg.payload.token`.
fn with_config(lowering: &mut Lowering<'_>, node: &Node) -> Result<Op, Fault> {
    let config = lowering.config(node, "jwtConf", jwt_conf::TYPE.spec.kind).ok_or_else(missing_config)?;
    let audience = families::either(
        Expr::Truthy(Box::new(Expr::Message(Path::keys(["aud"])))),
        jwt_conf::audience(&config).map_or(Expr::Literal(Value::Undefined), families::literal),
    );
    let given = ClaimPlan::Given { of: Expr::Message(Path::keys(["payload"])), clash: Clash::Refuse };
    let token = TokenPlan {
        algorithm: jwt_conf::algorithm(lowering, &config).ok_or_else(unsupported_algorithm)?,
        switches: SWITCHES,
        header: vec![HeaderMember::Algorithm, HeaderMember::Type("JWT".into())],
        claims: vec![
            given,
            ClaimPlan::IssuedAt,
            ClaimPlan::Expires,
            ClaimPlan::From { name: "aud".into(), value: audience, absent: AbsentClaim::LeaveOut },
        ],
        lifetime: Lifetime::Asked { by: Expr::Message(Path::keys(["exp"])), otherwise_secs: CLAIM_LIFETIME_SECS },
        key: jwt_conf::key(lowering, &config),
    };
    Ok(Op::Issue { token: lowering.add_token(token), into: Path::keys(["payload", "token"]) })
}
