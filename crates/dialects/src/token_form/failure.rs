//! What is done to a message at whose node something failed: `flow.error` says what (contract section 5).

use std::sync::Arc;

use plan::{EventField, Expr, Fault, FaultKind, Function, Path, ShapeStep, Text, TokenFlaw, Value};

use super::WORK;
use super::who::Who;

/// How faults that no node names itself are named.
const CODES: [(FaultKind, &str); 16] = [
    (FaultKind::KeyMissing, "key.missing"),
    (FaultKind::KeyUnusable, "key.invalid"),
    (FaultKind::KeyUnfit, "key.mismatch"),
    (FaultKind::KeyLength, "key.length"),
    (FaultKind::KeyAway, "key.unavailable"),
    (FaultKind::Busy, "key.unavailable"),
    (FaultKind::AlgorithmUnsupported, "variable.missing"),
    (FaultKind::ExpiryInvalid, "ttl.invalid"),
    (FaultKind::ClaimsInvalid, "claim.value"),
    (FaultKind::Oversized, "token.too_large"),
    (FaultKind::FetchFailed, "http.failed"),
    (FaultKind::Script, "script.failed"),
    (FaultKind::ScriptTimeout, "script.timeout"),
    (FaultKind::ScriptMemory, "script.memory"),
    (FaultKind::ScriptUnavailable, "script.unavailable"),
    (FaultKind::Endless, "flow.endless"),
];
/// Code, field and words for a token that does not hold: words of our own, for a token's may be an attacker's.
const FLAWS: [(TokenFlaw, &str, &str, &str); 16] = [
    (TokenFlaw::Absent, "token.missing", "jwt", "there is no token"),
    (TokenFlaw::NotText, "token.malformed", "jwt", "the token is no text"),
    (TokenFlaw::Malformed, "token.malformed", "jwt", "the token is not well formed"),
    (TokenFlaw::Undecodable, "token.malformed", "jwt", "the token holds no claims"),
    (TokenFlaw::Nesting, "token.malformed", "jwt", "the token is not signed and encrypted as it is configured"),
    (TokenFlaw::Algorithm, "token.algorithm", "jwt", "the algorithm of the token is not the configured one"),
    (TokenFlaw::Undecryptable, "token.decryption", "jwt", "the token cannot be decrypted"),
    (TokenFlaw::Unsigned, "token.signature", "jwt", "the token is not signed"),
    (TokenFlaw::Signature, "token.signature", "jwt", "the signature does not hold"),
    (TokenFlaw::NotYet, "token.not_yet", "jwt", "the token is not valid yet"),
    (TokenFlaw::Expired, "token.expired", "jwt", "the token has expired"),
    (TokenFlaw::NotBeforeInvalid, "claim.value", "jwt", "claim \"nbf\": a whole number of seconds is needed"),
    (TokenFlaw::ExpiryInvalid, "claim.value", "jwt", "claim \"exp\": a whole number of seconds is needed"),
    (TokenFlaw::Issuer, "claim.value", "expected/iss", "claim \"iss\": the token is of another issuer"),
    (TokenFlaw::Audience, "claim.value", "expected/aud", "claim \"aud\": the token is for another audience"),
    (TokenFlaw::ClaimAbsent, "claim.missing", "expected/claims", "is missing"),
];
/// `flow.error`, of the node and of the fault.
const ERROR: Function = Function { name: "flow_error", run: error };

/// What is done to a message whose node has failed.
pub(crate) fn failure(who: &Who) -> Arc<[ShapeStep]> {
    let thrown = |name: &str| Expr::Member { of: Box::new(Expr::Event(EventField::Thrown)), path: Path::keys([name]) };
    let text = |text: &str| Expr::Literal(Value::text(text));
    let members = [
        ("prefix", text(&who.prefix())),
        ("node", text(&who.node)),
        ("message", Expr::Event(EventField::Message)),
        ("kind", Expr::Event(EventField::Kind)),
        ("code", thrown("code")),
        ("field", thrown("field")),
        ("layer", thrown("layer")),
        ("flaw", thrown("flaw")),
        ("claim", thrown("claim")),
    ];
    let members = members.into_iter().map(|(name, value)| (Text::from(name), value)).collect();
    let error = Expr::Applied { function: ERROR, to: vec![Expr::Map(members)] };
    [ShapeStep::Set(Path::keys(["flow", "error"]), error), ShapeStep::Delete(Path::keys([WORK]))].into()
}

fn error(arguments: &[Value]) -> Result<Value, Fault> {
    let told = arguments.first().and_then(Value::as_map);
    let member = |name: &str| told.and_then(|told| told.get(name)).and_then(Value::as_text);
    let message = member("message").unwrap_or_default();
    let flaw = FLAWS.iter().find(|(flaw, ..)| member("flaw") == Some(flaw.name()));
    let kind = CODES.iter().find(|(kind, _)| member("kind") == Some(kind.name())).map(|(_, code)| *code);
    let (code, field, words) = match (flaw, member("layer")) {
        (Some((TokenFlaw::ClaimAbsent, code, field, words)), _) => {
            (*code, Some(*field), format!("claim \"{}\" {words}", member("claim").unwrap_or_default()))
        }
        (Some((_, code, field, words)), _) => (*code, Some(*field), (*words).to_owned()),
        (None, Some(layer)) => {
            let code = kind.unwrap_or("failed");
            let why = match code {
                "key.missing" => "no key",
                "key.unavailable" => "key is not available",
                _ => message,
            };
            (code, Some(layer), format!("{layer}: {why}"))
        }
        (None, None) => (member("code").or(kind).unwrap_or("failed"), member("field"), message.to_owned()),
    };
    let prefix = member("prefix").unwrap_or_default();
    let message = if words.starts_with(prefix) { words } else { format!("{prefix}{words}") };
    let members =
        [("message", Some(message.as_str())), ("code", Some(code)), ("node", member("node")), ("field", field)];
    Ok(Value::map(members.into_iter().filter_map(|(name, text)| Some((name, Value::text(text?))))))
}
