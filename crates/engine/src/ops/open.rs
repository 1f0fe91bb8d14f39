//! Tokens that are opened with keys which the message brings along: asked for here, and held against their plan.

use jose::json::Limits;
use plan::{
    Ask, AskId, Expected, Fault, FaultKind, Flow, JsonRules, KeyFrom, Known, Map, Op, OpenPlan, OpenRequest, TokenFlaw,
    Value, read_json,
};

use super::{seal, verify};
use crate::eval::Scope;
use crate::work::{Delivery, Work};

/// Asks for what this message's token holds.
pub(crate) fn deliver(flow: &Flow, work: &mut Work, delivery: Delivery, plan: &OpenPlan) -> Option<(AskId, Ask)> {
    let request = request(plan, &work.scope(&delivery.message)).map(Ask::Open);
    work.ask_or_raise(flow, delivery, request)
}

/// Goes on with a token whose layers hold.
pub(crate) fn opened(flow: &Flow, work: &mut Work, mut delivery: Delivery, found: Known) {
    let Op::Open { plan, into, known } = &flow.nodes[delivery.to.0 as usize].op else { return };
    let now_secs = work.moment.now_epoch_ms().div_euclid(1000);
    let claims = read_json(found.claims.as_bytes(), Limits::CLAIMS, JsonRules::Exact).unwrap_or_default();
    if let Err(fault) = check(plan, &claims, now_secs, &work.scope(&delivery.message)) {
        return work.raise(flow, delivery, fault);
    }
    if let Some(place) = known
        && !place.write(&mut delivery.message, &mut work.cells, seal::known_of(found))
    {
        let fault = Fault::new(FaultKind::Configuration, "the message has no place for the result");
        return work.raise(flow, delivery, fault);
    }
    work.write_and_forward(flow, delivery, into, claims);
}

/// The fault of a token that does not hold.
pub(crate) fn fault(flaw: TokenFlaw, claim: Option<&str>, why: &str) -> Fault {
    let members = [("flaw", Some(flaw.name())), ("claim", claim)];
    let members = members.into_iter().filter_map(|(name, text)| Some((name, Value::text(text?))));
    Fault { thrown: Value::map(members), ..Fault::new(FaultKind::TokenRefused, why) }
}

fn request(plan: &OpenPlan, scope: &Scope<'_>) -> Result<OpenRequest, Fault> {
    let token = match scope.eval(&plan.token)? {
        Value::Text(token) if !token.is_empty() => token,
        Value::Text(_) | Value::Undefined | Value::Null => {
            return Err(fault(TokenFlaw::Absent, None, "there is no token"));
        }
        Value::Bool(_)
        | Value::Number(_)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => return Err(fault(TokenFlaw::NotText, None, "the token is no text")),
    };
    let key = |from: &KeyFrom| seal::key_of(from, scope);
    let decryption = plan.decryption.as_ref().map(|layer| layer.try_map(key)).transpose()?;
    let verification = plan.verification.as_ref().map(|layer| layer.try_map(key)).transpose()?;
    Ok(OpenRequest { token, decryption, verification })
}

/// Whether the claims are what the plan asks for.
fn check(plan: &OpenPlan, claims: &Value, now_secs: i64, scope: &Scope<'_>) -> Result<(), Fault> {
    let Some(claims) = claims.as_map() else {
        return Err(fault(TokenFlaw::Undecodable, None, "the token holds no claims"));
    };
    verify::times_hold(claims, plan.times, now_secs).map_err(|found| of_times(found.flaw))?;
    let is_there = |name: &str| claims.get(name).is_some_and(|value| !matches!(value, Value::Null));
    if let Some(name) = plan.required.iter().find(|name| !is_there(name)) {
        return Err(fault(TokenFlaw::ClaimAbsent, Some(name), &format!("claim \"{name}\" is missing")));
    }
    let asked = [("iss", TokenFlaw::Issuer, &plan.issuer), ("aud", TokenFlaw::Audience, &plan.audience)];
    for (name, flaw, expected) in asked {
        if let Some(expected) = expected
            && !fits(claims, name, expected, scope)?
        {
            return Err(fault(flaw, Some(name), &format!("`{name}` of the token is not what is asked for")));
        }
    }
    Ok(())
}

fn fits(claims: &Map, name: &str, expected: &Expected, scope: &Scope<'_>) -> Result<bool, Fault> {
    let equal = if let Expected::Equal(value) = expected { scope.eval(value)? } else { Value::Undefined };
    let is = |text: &str| match expected {
        Expected::Matching(pattern) => pattern.is_match(text),
        Expected::Equal(_) => equal.as_text() == Some(text),
    };
    Ok(match claims.get(name) {
        Some(Value::List(items)) if name == "aud" => items.iter().filter_map(Value::as_text).any(is),
        Some(value) => value.as_text().is_some_and(is),
        None => false,
    })
}

fn of_times(flaw: TokenFlaw) -> Fault {
    match flaw {
        TokenFlaw::Expired => fault(flaw, Some("exp"), "the token has expired"),
        TokenFlaw::NotYet => fault(flaw, Some("nbf"), "the token is not valid yet"),
        TokenFlaw::NotBeforeInvalid => fault(flaw, Some("nbf"), "`nbf` of the token is no time"),
        TokenFlaw::ExpiryInvalid
        | TokenFlaw::Absent
        | TokenFlaw::NotText
        | TokenFlaw::Malformed
        | TokenFlaw::Undecodable
        | TokenFlaw::Unsigned
        | TokenFlaw::Algorithm
        | TokenFlaw::Nesting
        | TokenFlaw::Undecryptable
        | TokenFlaw::Signature
        | TokenFlaw::ClaimAbsent
        | TokenFlaw::Issuer
        | TokenFlaw::Audience
        | TokenFlaw::ListAbsent
        | TokenFlaw::Unlisted => fault(flaw, Some("exp"), "`exp` of the token is no time"),
    }
}
