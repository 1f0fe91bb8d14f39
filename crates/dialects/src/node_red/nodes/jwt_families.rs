//! The three packages that register `jwt sign` and `jwt verify`, told apart by their properties (section 6).

use std::collections::BTreeMap;

use jose::jwa::{SignatureAlgorithm, SignatureFamily};
use plan::{
    AfterRefusal, EventField, Expr, KeySource, Path, Refused, SecretRef, Severity, ShapeStep, Text, TokenFlaw, Value,
};

use super::Obstacle;
use crate::node_red::lower::Lowering;
use crate::node_red::syntax::Node;

/// The property that holds a secret in the open.
pub(super) const SECRET_FIELD: &str = "secret";
/// The field that holds a key in PEM, in the place of the file that `key` names.
pub(super) const PEM_FIELD: &str = "pem";
/// What every node has, whatever package it is of.
const COMMON: [&str; 14] =
    ["id", "type", "z", "g", "d", "x", "y", "l", "wires", "name", "info", "icon", "inputLabels", "outputLabels"];

/// Which package a node is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// node-red-contrib-jwt.
    Jwt,
    /// node-red-contrib-jwt2.
    Jwt2,
    /// node-red-contrib-jwt-claim.
    JwtClaim,
}

/// The package of a node; none if its properties are those of no known one.
pub(super) fn family(node: &Node) -> Option<Family> {
    let has = |name| node.get(name).is_some();
    match (has("signvar") && has("storetoken"), has("jwtConf")) {
        (true, false) if has("topic") && !has("jwkurl") => Some(Family::Jwt2),
        (true, false) => Some(Family::Jwt),
        (false, true) if !has("signvar") => Some(Family::JwtClaim),
        (_, _) => None,
    }
}

/// The property of such a node that holds key material in the open, if its type has one.
pub(in crate::node_red) fn open_secret(kind: &str) -> Option<&'static str> {
    matches!(kind, "jwt sign" | "jwt verify").then_some(SECRET_FIELD)
}

/// A node of an unknown package stops its tab.
pub(super) fn obstacle(node: &Node) -> Option<Obstacle> {
    if family(node).is_some() {
        return None;
    }
    let own = node.properties.iter().map(|property| &*property.name).filter(|name| !COMMON.contains(name));
    let seen: Vec<_> = own.map(|name| format!("`{name}`")).collect();
    let seen = if seen.is_empty() { "none at all".to_owned() } else { seen.join(", ") };
    Some(Obstacle {
        code: "jwt_package_unknown",
        message: format!(
            "The node `{}` of type `{}` has the properties of no package that is known here (they are {seen})",
            node.id, node.kind
        ),
        hint: "Use `signvar` and `storetoken`, or `jwtConf`, as the published packages do; or disable the node.",
    })
}

/// The keys of the first two packages: a secret for HMAC, else a key in PEM. Only the first one looks at variables.
pub(super) fn key(
    lowering: &mut Lowering<'_>,
    node: &Node,
    family: Family,
    algorithm: &SignatureAlgorithm,
    pem_variable: &str,
) -> KeySource {
    let is_hmac = matches!(algorithm.family, SignatureFamily::Hmac(_));
    let (variable, field) =
        if is_hmac { ("NODE_RED_NODE_JWT_SECRET", SECRET_FIELD) } else { (pem_variable, PEM_FIELD) };
    if family == Family::Jwt && is_set(lowering, variable) {
        return KeySource::Variable(variable.into());
    }
    if !is_hmac && !node.text("key").is_empty() {
        let message =
            format!("The file `{}` is not read; the key is taken from the secret `{PEM_FIELD}`.", node.text("key"));
        let hint = "Give the file's content to `chancery secret set` for this node and the field `pem`.";
        lowering.tell(Severity::Warning, "jwt_key_file", node.spot_of("key"), message, hint);
    }
    secret(lowering, &node.id, field)
}

/// A secret of a node, which the flow cannot do without.
pub(super) fn secret(lowering: &mut Lowering<'_>, owner: &Text, field: &str) -> KeySource {
    let secret = SecretRef { owner: owner.clone(), field: field.into() };
    lowering.need_secret(&secret);
    KeySource::Secret(secret)
}

/// Whether a variable of the process holds anything.
pub(super) fn is_set(lowering: &Lowering<'_>, variable: &str) -> bool {
    lowering.settings().environment.get(variable).is_some_and(|value| !value.trim().is_empty())
}

/// Tells that fetching keys from an address is not offered; whether that was asked for.
pub(super) fn refuse_key_url(lowering: &mut Lowering<'_>, node: &Node) -> bool {
    let asked = !node.text("jwkurl").is_empty();
    if asked {
        let message =
            "The node takes its keys from an address, which is not offered, so no token is signed or accepted.";
        let hint = "Empty the field `jwkurl`, and give the key to the node.";
        lowering.tell(Severity::Stopped, "jwt_jwk_unsupported", node.spot_of("jwkurl"), message, hint);
    }
    asked
}

/// The member of the message that a property names, letter for letter.
pub(super) fn member(node: &Node, property: &str) -> Path {
    Path::keys([node.text(property)])
}

/// A path through the request.
pub(super) fn request(names: &[&str]) -> Expr {
    let all = ["req"].iter().chain(names).map(|name| plan::Segment::Key((*name).into()));
    Expr::Message(Path(all.collect()))
}

/// The first of two values that is not undefined.
pub(super) fn either(first: Expr, second: Expr) -> Expr {
    Expr::Choose { present: Box::new(first.clone()), then: Box::new(first), otherwise: Box::new(second) }
}

/// How a package dresses the message of a refused token: by the error's class, its text and the name of its instant.
pub(super) type Dress<'d> = &'d dyn Fn(&'static str, &str, Option<&'static str>) -> (Vec<ShapeStep>, AfterRefusal);

/// Every flaw, dressed in the classes and texts of `jsonwebtoken`.
pub(super) fn refused(audience: &str, dress: Dress<'_>) -> BTreeMap<TokenFlaw, Refused> {
    const ERROR: &str = "JsonWebTokenError";
    let audience = format!("jwt audience invalid. expected: {audience}");
    let table = [
        (TokenFlaw::Absent, ERROR, "jwt must be provided", None),
        (TokenFlaw::NotText, ERROR, "jwt must be a string", None),
        (TokenFlaw::Malformed, ERROR, "jwt malformed", None),
        (TokenFlaw::Undecodable, ERROR, "invalid token", None),
        (TokenFlaw::Unsigned, ERROR, "jwt signature is required", None),
        (TokenFlaw::Algorithm, ERROR, "invalid algorithm", None),
        (TokenFlaw::Signature, ERROR, "invalid signature", None),
        (TokenFlaw::NotBeforeInvalid, ERROR, "invalid nbf value", None),
        (TokenFlaw::NotYet, "NotBeforeError", "jwt not active", Some("date")),
        (TokenFlaw::ExpiryInvalid, ERROR, "invalid exp value", None),
        (TokenFlaw::Expired, "TokenExpiredError", "jwt expired", Some("expiredAt")),
        (TokenFlaw::Audience, ERROR, &audience, None),
    ];
    let dressed = table.map(|(flaw, class, text, instant)| {
        let (dress, then) = dress(class, text, instant);
        (flaw, Refused { dress, then })
    });
    dressed.into()
}

/// The members of an error object, as JSON shows it.
pub(super) fn error_members(class: &str, text: &str, instant: Option<&str>) -> Vec<(Text, Expr)> {
    let mut members = vec![("name".into(), literal(class)), ("message".into(), literal(text))];
    members.extend(instant.map(|name| (name.into(), Expr::Event(EventField::Instant))));
    members
}

/// Steps that answer with this payload and status.
pub(super) fn answer(payload: Expr, status: i64) -> Vec<ShapeStep> {
    let status = Expr::Literal(Value::integer(status));
    vec![ShapeStep::Set(Path::keys(["payload"]), payload), ShapeStep::Set(Path::keys(["statusCode"]), status)]
}

/// What a catch node reads of such an error.
pub(super) fn raise(class: &str, text: &str) -> AfterRefusal {
    AfterRefusal::Raise(literal(&format!("{class}: {text}")))
}

/// A text.
pub(super) fn literal(text: &str) -> Expr {
    Expr::Literal(Value::text(text))
}
