//! `jwt verify`: checks a token, in the way of the package that the node is of (section 6).

use jose::json::Value as Json;
use jose::jwa::{SignatureAlgorithm, SignatureFamily};
use plan::{
    AfterRefusal, ExpiryRules, Expr, Fault, FaultKind, JsonRules, Op, Path, Refused, Severity, ShapeStep, TokenFlaw,
    Value, VerifyPlan,
};

use super::jwt::{NO_REQUEST, SWITCHES, missing_config, unsupported_algorithm};
use super::jwt_families::{self as families, Family, answer, either, error_members, literal, request};
use super::{Lower, NodeType, jwt_conf, jwt_config};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The name of `signvar` that means the token of the request.
const BEARER: &str = "bearer";
/// What such a library asks of the times of a token.
const TIMES: ExpiryRules = ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: 0 };

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "jwt verify",
        category: "function",
        colour: "#a6bbcf",
        summary: "Checks a JSON Web Token and adds its claims to the message.",
        inputs: 1,
        outputs: Outputs::Labelled(&["verified"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "alg",
                "Algorithms",
                "The algorithms that are accepted.",
                FieldKind::Choice(&[("HS256", "HS256"), ("HS384", "HS384"), ("HS512", "HS512"), ("RS256", "RS256")]),
            ),
            FieldSpec::new(
                families::SECRET_FIELD,
                "Secret",
                "The HMAC secret as text; wholly `${NAME}`, the variable of that name.",
                FieldKind::Secret,
            ),
            FieldSpec::new(
                families::PEM_FIELD,
                "Public key",
                "The public key in PEM, for algorithms other than HMAC.",
                FieldKind::Secret,
            ),
            FieldSpec::text(
                "signvar",
                "Token",
                "The property of the message that holds the token; `bearer` for the one of the request.",
                "payload",
            ),
            FieldSpec::text("storetoken", "Claims", "The property of the message that takes the claims.", "payload"),
            FieldSpec::text("role", "Role", "What the claim `roles` must hold, in flows with a configuration.", ""),
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

/// The first two packages: the token from `msg[signvar]`, the claims to `msg[storetoken]`.
fn alone(lowering: &mut Lowering<'_>, node: &Node, family: Family) -> Result<Op, Fault> {
    if families::refuse_key_url(lowering, node) {
        return Err(unsupported_algorithm());
    }
    let algorithms = algorithms(lowering, node);
    let first = *algorithms.first().ok_or_else(unsupported_algorithm)?;
    let refused = if family == Family::Jwt2 {
        families::refused("", &|_, text, _| (answer(literal(text), 401), AfterRefusal::Send(0)))
    } else {
        families::refused("", &|class, text, instant| {
            (answer(Expr::Map(error_members(class, text, instant)), 401), families::raise(class, text))
        })
    };
    let policy = VerifyPlan {
        token: Expr::Message(families::member(node, "signvar")),
        algorithms,
        switches: SWITCHES,
        key: families::key(lowering, node, family, first, "NODE_RED_NODE_JWT_PUBLIC_KEY"),
        times: TIMES,
        audience: None,
        listed: None,
        claims: JsonRules::Ecmascript,
        any_claims: true,
        prepare: if node.text("signvar") == BEARER { find_bearer(family) } else { Vec::new() },
        refused,
    };
    Ok(Op::Verify { policy: lowering.add_policy(policy), into: families::member(node, "storetoken") })
}

/// The algorithms that may be used of those that are named. One key cannot be a secret and a public key, so those for
/// secrets are left out where any other is named.
fn algorithms(lowering: &mut Lowering<'_>, node: &Node) -> Vec<&'static SignatureAlgorithm> {
    let value = node.get("alg");
    let names: Vec<_> = match value.and_then(Json::as_array) {
        Some(names) => names.iter().filter_map(Json::as_text).collect(),
        None => value.and_then(Json::as_text).into_iter().collect(),
    };
    let mut known: Vec<_> = names.iter().filter_map(|name| jwt_config::by_name(name)).collect();
    if known.is_empty() {
        jwt_config::tell_unsupported(lowering, node, "alg", &names.join(", "));
    }
    let is_hmac = |row: &&SignatureAlgorithm| matches!(row.family, SignatureFamily::Hmac(_));
    if !known.iter().all(is_hmac) && known.iter().any(is_hmac) {
        known.retain(|row| !is_hmac(row));
        let message = "HMAC algorithms are not accepted beside those with a public key.";
        let hint = "Choose one kind of algorithm.";
        lowering.tell(Severity::Warning, "jwt_algorithms_mixed", node.spot_of("alg"), message, hint);
    }
    known
}

/// `msg.bearer` from the Authorization header; without that header from the query, then from the body.
fn find_bearer(family: Family) -> Vec<ShapeStep> {
    let no_request = Fault::new(FaultKind::Configuration, "The message has no request, so there is no token to check.");
    let require = Expr::Require { of: Box::new(request(&[])), fault: Box::new(no_request.with_code(NO_REQUEST)) };
    let header = Expr::Member { of: Box::new(require), path: Path::keys(["headers", "authorization"]) };
    let mut schemes = vec![literal("Bearer")];
    if family == Family::Jwt {
        schemes.push(Expr::Message(Path::keys(["prefix"])));
    }
    let found = Expr::Choose {
        present: Box::new(header.clone()),
        then: Box::new(Expr::AfterScheme { schemes, of: Box::new(header) }),
        otherwise: Box::new(either(request(&["query", "access_token"]), request(&["body", "access_token"]))),
    };
    vec![ShapeStep::SetPresent(Path::keys([BEARER]), found)]
}

/// The third package: the token of the request, the claims to `msg.dataAuth`.
fn with_config(lowering: &mut Lowering<'_>, node: &Node) -> Result<Op, Fault> {
    let config = lowering.config(node, "jwtConf", jwt_conf::TYPE.spec.kind).ok_or_else(missing_config)?;
    let audience = jwt_conf::audience(&config);
    let mut refused = families::refused(audience.unwrap_or_default(), &|class, text, instant| {
        let mut members = error_members(class, text, instant);
        members.push(("statusCode".into(), Expr::Literal(Value::integer(401))));
        (answer(Expr::Map(members), 401), families::raise(class, text))
    });
    let no_token = Expr::Choose {
        present: Box::new(request(&[])),
        then: Box::new(literal("authorization header not found")),
        otherwise: Box::new(literal("request on message not found")),
    };
    refused.insert(TokenFlaw::Absent, refusal(&[], no_token, 412));
    let forbidden = [("name", "Forbidden")];
    refused.insert(TokenFlaw::ListAbsent, refusal(&forbidden, literal("your token does not have roles"), 403));
    let unlisted = literal("you are not allowed role to access this resource");
    refused.insert(TokenFlaw::Unlisted, refusal(&forbidden, unlisted, 403));
    let policy = VerifyPlan {
        token: any_token(),
        algorithms: vec![jwt_conf::algorithm(lowering, &config).ok_or_else(unsupported_algorithm)?],
        switches: SWITCHES,
        key: jwt_conf::key(lowering, &config),
        times: TIMES,
        audience: audience.map(Into::into),
        listed: Some(node.text("role")).filter(|role| !role.is_empty()).map(|role| ("roles".into(), role.into())),
        claims: JsonRules::Ecmascript,
        any_claims: true,
        prepare: Vec::new(),
        refused,
    };
    Ok(Op::Verify { policy: lowering.add_policy(policy), into: Path::keys(["dataAuth"]) })
}

/// A refusal whose payload is an object with its own status.
fn refusal(members: &[(&str, &str)], message: Expr, status: i64) -> Refused {
    let mut all: Vec<_> = members.iter().map(|(name, text)| ((*name).into(), literal(text))).collect();
    all.push(("statusCode".into(), Expr::Literal(Value::integer(status))));
    all.push(("message".into(), message.clone()));
    Refused { dress: answer(Expr::Map(all), status), then: AfterRefusal::Raise(message) }
}

/// The Authorization header behind `Bearer`, or its first word; without that header from the query, then from the body.
fn any_token() -> Expr {
    let header = request(&["headers", "authorization"]);
    let bearer = Expr::AfterScheme { schemes: vec![literal("Bearer")], of: Box::new(header.clone()) };
    let first_word = Expr::Before { cut: " ".into(), of: Box::new(header.clone()) };
    let not_empty = |names: &[&str]| Expr::Truthy(Box::new(request(names)));
    Expr::Choose {
        present: Box::new(header),
        then: Box::new(either(bearer, first_word)),
        otherwise: Box::new(either(not_empty(&["query", "access_token"]), not_empty(&["body", "access_token"]))),
    }
}
