//! Checking a token: its signature is checked elsewhere, its claims here.

use jose::json::Limits;
use plan::{
    AfterRefusal, Ask, AskId, Date, ExpiryRules, Fault, FaultKind, Flow, Map, Number, Op, PolicyIx, Text, TokenFlaw,
    Value, VerifyPlan, VerifyRequest, read_json,
};

use super::shape::{Fate, assign};
use crate::eval::Scope;
use crate::events::Event;
use crate::work::{Delivery, Work};
use plan::ecmascript::is_truthy;

/// The output of a token that does not hold, where the policy says nothing else.
const ASIDE: usize = 1;
/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
const NUMERIC_DATE_MAX: f64 = ((1_u64 << 53) - 1) as f64;

/// Asks for the check of this message's token. A token that cannot even be asked about is refused here, but only once
/// the ask has found the key: that the key is missing is to be found out before that the token is.
pub(crate) fn deliver(flow: &Flow, work: &mut Work, mut delivery: Delivery, policy: PolicyIx) -> Option<(AskId, Ask)> {
    let plan = &flow.policies[policy.0 as usize];
    match prepared(plan, work, &mut delivery).and_then(|()| request(plan, policy, &work.scope(&delivery.message))) {
        Ok(request) => Some(work.ask(delivery, Ask::Verify(request))),
        Err(fault) => {
            work.raise(flow, delivery, fault);
            None
        }
    }
}

/// Goes on with a token whose signature holds.
pub(crate) fn verified(flow: &Flow, work: &mut Work, delivery: Delivery, claims: &[u8]) {
    let Op::Verify { policy, into } = &flow.nodes[delivery.to.0 as usize].op else { return };
    let policy = &flow.policies[policy.0 as usize];
    let claims = read_json(claims, Limits::CLAIMS, policy.claims).unwrap_or_default();
    let now_secs = work.moment.now_epoch_ms().div_euclid(1000);
    let none = Map::new();
    let is_any = policy.any_claims && !matches!(claims, Value::Undefined | Value::Null);
    let found = match claims.as_map().or(is_any.then_some(&none)) {
        None => Err(Found::plain(TokenFlaw::Undecodable)),
        Some(claims) => {
            times_hold(claims, policy.times, now_secs).and_then(|()| others_hold(claims, policy).map_err(Found::plain))
        }
    };
    match found {
        Ok(()) => work.write_and_forward(flow, delivery, into, claims),
        Err(found) => refuse(flow, work, delivery, &found),
    }
}

/// Goes on with a token whose form, algorithm or signature does not hold.
pub(crate) fn refused(flow: &Flow, work: &mut Work, delivery: Delivery, flaw: TokenFlaw) {
    let Op::Verify { policy, .. } = &flow.nodes[delivery.to.0 as usize].op else { return };
    let token = work.scope(&delivery.message).eval(&flow.policies[policy.0 as usize].token).unwrap_or_default();
    let flaw = match (is_truthy(&token), token.as_text()) {
        (false, _) => TokenFlaw::Absent,
        (true, None) => TokenFlaw::NotText,
        (true, Some(_)) => flaw,
    };
    refuse(flow, work, delivery, &Found::plain(flaw));
}

/// A flaw, and the instant that made it one.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub(super) flaw: TokenFlaw,
    instant: Option<Date>,
}

impl Found {
    fn plain(flaw: TokenFlaw) -> Self {
        Self { flaw, instant: None }
    }

    fn at(flaw: TokenFlaw, epoch_secs: f64) -> Self {
        Self { flaw, instant: Some(Date { epoch_ms: epoch_secs * 1000.0 }) }
    }
}

fn prepared(plan: &VerifyPlan, work: &mut Work, delivery: &mut Delivery) -> Result<(), Fault> {
    if plan.prepare.is_empty() {
        return Ok(());
    }
    assign(&plan.prepare, &mut delivery.message, &mut work.cells, None, &work.moment)?;
    delivery.lineage.growth = delivery.lineage.growth.after(&plan.prepare, &delivery.message, &work.cells)?;
    Ok(())
}

/// The token of this message, to be checked; where there is none the empty text goes out.
fn request(plan: &VerifyPlan, policy: PolicyIx, scope: &Scope<'_>) -> Result<VerifyRequest, Fault> {
    let token = if let Value::Text(token) = scope.eval(&plan.token)? { token } else { Text::default() };
    Ok(VerifyRequest { policy, key: plan.key.clone(), token })
}

fn refuse(flow: &Flow, work: &mut Work, mut delivery: Delivery, found: &Found) {
    let Op::Verify { policy, .. } = &flow.nodes[delivery.to.0 as usize].op else { return };
    let Some(refused) = flow.policies[policy.0 as usize].refused.get(&found.flaw) else {
        return work.forward(flow, delivery, ASIDE);
    };
    let event = Event::of_token(flow, delivery.to, found.instant);
    let dressed = assign(&refused.dress, &mut delivery.message, &mut work.cells, Some(&event), &work.moment);
    match (dressed, &refused.then) {
        (Err(fault), _) => work.raise(flow, delivery, fault),
        (Ok(Fate::Dropped), _) => work.done(flow, delivery),
        (Ok(Fate::On), AfterRefusal::Send(output)) => work.forward(flow, delivery, *output),
        (Ok(Fate::On), AfterRefusal::Raise(told)) => {
            let told = work.scope(&delivery.message).eval(told).unwrap_or_default();
            work.raise(flow, delivery, Fault::new(FaultKind::TokenRefused, told.as_text().unwrap_or_default()));
        }
    }
}

/// Whether `nbf`, `exp` and `iat` allow the token now (RFC 7519 section 4.1).
pub(super) fn times_hold(claims: &Map, rules: ExpiryRules, now_secs: i64) -> Result<(), Found> {
    let now = now_secs as f64;
    let leeway = f64::from(rules.leeway_secs);
    let instant = |name: &str| claims.get(name).filter(|value| !value.is_undefined()).map(numeric_date);
    match instant("nbf") {
        Some(None) => return Err(Found::plain(TokenFlaw::NotBeforeInvalid)),
        Some(Some(nbf)) if nbf > now + leeway => return Err(Found::at(TokenFlaw::NotYet, nbf)),
        Some(Some(_)) | None => {}
    }
    match instant("exp") {
        Some(None) => return Err(Found::plain(TokenFlaw::ExpiryInvalid)),
        None if rules.exp_required => return Err(Found::plain(TokenFlaw::ExpiryInvalid)),
        Some(Some(exp)) if now >= exp + leeway => return Err(Found::at(TokenFlaw::Expired, exp)),
        Some(Some(_)) | None => {}
    }
    match instant("iat").filter(|_| rules.iat_checked) {
        Some(None) => Err(Found::plain(TokenFlaw::NotYet)),
        Some(Some(iat)) if iat > now + leeway => Err(Found::at(TokenFlaw::NotYet, iat)),
        Some(Some(_)) | None => Ok(()),
    }
}

/// Whether the audience and the list that the policy asks for are there.
fn others_hold(claims: &Map, policy: &VerifyPlan) -> Result<(), TokenFlaw> {
    let names = |value: Option<&Value>, text: &str| match value {
        Some(Value::List(items)) => items.iter().any(|item| item.as_text() == Some(text)),
        Some(value) => value.as_text() == Some(text),
        None => false,
    };
    if policy.audience.as_ref().is_some_and(|audience| !names(claims.get("aud"), audience)) {
        return Err(TokenFlaw::Audience);
    }
    match &policy.listed {
        None => Ok(()),
        Some((claim, _)) if !matches!(claims.get(claim), Some(Value::List(_))) => Err(TokenFlaw::ListAbsent),
        Some((claim, member)) if !names(claims.get(claim), member) => Err(TokenFlaw::Unlisted),
        Some(_) => Ok(()),
    }
}

fn numeric_date(value: &Value) -> Option<f64> {
    let Value::Number(number) = value else { return None };
    let seconds = match number {
        Number::Integer(integer) => *integer as f64,
        Number::Float(float) => *float,
        Number::Literal(text) => text.parse().ok()?,
    };
    (seconds.abs() <= NUMERIC_DATE_MAX).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use plan::JsonRules;

    use super::*;

    fn held(claims: &str, rules: ExpiryRules) -> bool {
        let claims = read_json(claims.as_bytes(), Limits::REQUEST, JsonRules::Exact).unwrap();
        times_hold(claims.as_map().unwrap(), rules, 1_000).is_ok()
    }

    const LENIENT: ExpiryRules = ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: 0 };

    #[test]
    fn exp_ends_at_its_own_second_and_nbf_begins_at_its() {
        assert!(held(r#"{"exp":1001,"nbf":1000}"#, LENIENT));
        assert!(!held(r#"{"exp":1000}"#, LENIENT));
        assert!(!held(r#"{"nbf":1001}"#, LENIENT));
        assert!(held(r#"{"exp":1000.5}"#, LENIENT));
    }

    #[test]
    fn leeway_stretches_both_ends() {
        let rules = ExpiryRules { leeway_secs: 10, ..LENIENT };
        assert!(held(r#"{"exp":991,"nbf":1010}"#, rules));
        assert!(!held(r#"{"exp":990}"#, rules));
        assert!(!held(r#"{"nbf":1011}"#, rules));
    }

    #[test]
    fn a_time_that_is_no_numeric_date_refuses() {
        for claims in [r#"{"exp":null}"#, r#"{"exp":"2000"}"#, r#"{"exp":1e400}"#, r#"{"exp":9007199254740992}"#] {
            assert!(!held(claims, LENIENT), "{claims}");
        }
    }

    #[test]
    fn exp_and_iat_count_as_the_policy_says() {
        assert!(held(r#"{"iat":5000}"#, LENIENT));
        assert!(!held(r#"{"iat":5000}"#, ExpiryRules { iat_checked: true, ..LENIENT }));
        assert!(!held("{}", ExpiryRules { exp_required: true, ..LENIENT }));
    }
}
