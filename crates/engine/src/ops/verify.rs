//! Checking a token: its signature is checked elsewhere, its claims here.

use jose::json::Limits;
use plan::{ExpiryRules, Fault, Flow, Map, Number, Op, PolicyIx, Text, Value, VerifyPlan, VerifyRequest, read_json};

use crate::eval::Scope;
use crate::work::{Delivery, Work};

/// The output of a token that does not hold.
const REFUSED: usize = 1;
/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
const NUMERIC_DATE_MAX: f64 = ((1_u64 << 53) - 1) as f64;

/// The token of this message, to be checked. Where there is none the empty text goes out: that the key is missing is
/// to be found out before that the token is.
///
/// # Errors
///
/// A requirement of the policy's own expression that does not hold.
pub(crate) fn request(plan: &VerifyPlan, policy: PolicyIx, scope: &Scope<'_>) -> Result<VerifyRequest, Fault> {
    let token = if let Value::Text(token) = scope.eval(&plan.token)? { token } else { Text::default() };
    Ok(VerifyRequest { policy, key: plan.key.clone(), token })
}

/// Goes on with a token whose signature holds.
pub(crate) fn verified(flow: &Flow, work: &mut Work, delivery: Delivery, claims: &[u8]) {
    let Op::Verify { policy, into } = &flow.nodes[delivery.to.0 as usize].op else { return };
    let policy = &flow.policies[policy.0 as usize];
    let claims = read_json(claims, Limits::REQUEST, policy.claims).unwrap_or_default();
    let now_secs = work.now_epoch_ms.div_euclid(1000);
    if claims.as_map().is_some_and(|claims| times_hold(claims, policy.times, now_secs)) {
        work.write_and_forward(flow, delivery, into, claims);
    } else {
        refused(flow, work, delivery);
    }
}

/// Goes on with a token that does not hold.
pub(crate) fn refused(flow: &Flow, work: &mut Work, delivery: Delivery) {
    work.forward(flow, delivery, REFUSED);
}

/// Whether `exp`, `nbf` and `iat` allow the token now (RFC 7519 section 4.1).
fn times_hold(claims: &Map, rules: ExpiryRules, now_secs: i64) -> bool {
    let now = now_secs as f64;
    let leeway = f64::from(rules.leeway_secs);
    let holds =
        |name: &str, rule: &dyn Fn(f64) -> bool| claims.get(name).map(|value| numeric_date(value).is_some_and(rule));
    holds("exp", &|exp| now < exp + leeway).unwrap_or(!rules.exp_required)
        && holds("nbf", &|nbf| nbf <= now + leeway).unwrap_or(true)
        && (!rules.iat_checked || holds("iat", &|iat| iat <= now + leeway).unwrap_or(true))
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
    use super::*;

    fn held(claims: &str, rules: ExpiryRules) -> bool {
        let claims = read_json(claims.as_bytes(), Limits::REQUEST, plan::JsonRules::Exact).unwrap();
        times_hold(claims.as_map().unwrap(), rules, 1_000)
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
