//! Which timings are refused, and in what words.

mod helper;

use helper::{limits, policy, secs, store_policy};
use keyring::{ROTATION_PERIOD_MAX, RingPolicy, Span, StatementLimits, StorePolicy};

const SECOND: Span = Span::from_secs(1);

#[derive(Clone, Copy)]
struct Timing {
    ring: RingPolicy,
    store: StorePolicy,
    limits: StatementLimits,
}

/// KR-03: each inequality of section 5 passes at equality and is refused one second beyond, naming its values and what
/// is missing.
#[test]
fn each_inequality_holds_at_equality_and_not_beyond() {
    type Change = fn(&mut Timing, Span);
    let s = Span::from_secs;
    let cases: [(&str, Change, Span, Span, Span); 11] = [
        ("publish_lead >= assumed", |t, v| t.ring.publish_lead = v, s(35), s(34), s(35)),
        ("rotation_period >= publish_lead", |t, v| t.ring.rotation_period = Some(v), s(40), s(39), s(40)),
        ("rotation_period >= max_lifetime", |t, v| t.ring.max_lifetime = Some(v), s(60), s(60), s(61)),
        ("assumed_cache >= 2 jwks_max_age", |t, v| t.ring.assumed_cache = v, s(20), s(19), s(20)),
        ("fresh_for >= 3 refresh_every", |t, v| t.store.fresh_for = v, s(3), s(2), s(3)),
        ("max_staleness >= fresh_for", |t, v| t.ring.max_staleness = v, s(3), s(2), s(3)),
        ("write_window >= 4", |t, v| t.store.write_window = v, s(4), s(3), s(4)),
        ("max_lifetime + leeway >= fresh_for", |t, v| t.ring.max_lifetime = Some(v), s(1), s(2), s(3)),
        ("leeway <= 300 s", |t, v| t.ring.leeway = v, s(300), s(300), s(301)),
        (
            "rotation_period <= 10 years",
            |t, v| t.ring.rotation_period = Some(v),
            ROTATION_PERIOD_MAX,
            ROTATION_PERIOD_MAX,
            ROTATION_PERIOD_MAX + SECOND,
        ),
        ("publish_lead >= assumed", |t, v| t.store.clock_error = v, Span::from_us(3_500_000), s(40), s(42)),
    ];
    for (rule, change, equal, left, right) in cases {
        let mut timing = start(rule);
        change(&mut timing, equal);
        assert_eq!(timing.check(), Ok(()), "{rule} at equality");
        // One second to the side on which it must fail.
        let up = matches!(rule, "leeway <= 300 s" | "rotation_period <= 10 years" | "rotation_period >= max_lifetime");
        let up = up || equal == Span::from_us(3_500_000);
        change(&mut timing, if up { equal + SECOND } else { equal - SECOND });
        let refusal = timing.check().unwrap_err();
        assert!(refusal.rule.starts_with(rule), "{rule}: {refusal}");
        assert_eq!((refusal.left, refusal.right), (left, right), "{rule}");
        let (left, right) = (left.as_us() / 1_000_000, right.as_us() / 1_000_000);
        let missing = right - left;
        let told = format!("{} does not hold, {left} s is less than {right} s by {missing} s", refusal.rule);
        assert!(refusal.to_string().ends_with(&told), "{refusal}");
    }
}

/// KR-03: a static ring has no period and no longest life, so rules 2, 3 and 7 do not apply to it.
#[test]
fn a_static_ring_skips_the_rules_of_a_period() {
    let mut timing = start("static");
    timing.ring.rotation_period = None;
    timing.ring.max_lifetime = None;
    timing.ring.leeway = Span::from_secs(3_600);
    assert_eq!(timing.check(), Ok(()));
    timing.ring.publish_lead = Span::from_secs(34);
    assert!(timing.check().is_err());
}

#[test]
fn a_rotating_ring_needs_a_longest_life() {
    let mut timing = start("no life");
    timing.ring.max_lifetime = None;
    assert_eq!(timing.check().unwrap_err().rule, "rotation_period >= max_lifetime");
}

#[test]
fn the_defaults_are_those_of_the_contract_and_safe() {
    let store = StorePolicy::with_defaults(secs(0));
    let limits = StatementLimits { statement: Span::from_secs(5), idle_in_transaction: Span::from_secs(10) };
    let week = RingPolicy::with_defaults(Some(Span::from_secs(604_800)), &store, secs(0));
    assert_eq!(week.check(&store, &limits), Ok(()));
    assert_eq!(secs_of(&week), [86_400, 3_600, 3_600, 900, 79_200, 60]);
    let hour = RingPolicy::with_defaults(Some(Span::from_secs(3_600)), &store, secs(0));
    assert_eq!(hour.check(&store, &limits), Ok(()));
    assert_eq!(secs_of(&hour), [1_800, 3_600, 450, 225, 1_280, 60]);
    let fixed = RingPolicy::with_defaults(None, &store, secs(0));
    assert_eq!(fixed.check(&store, &limits), Ok(()));
    assert_eq!(fixed.max_lifetime, None);
}

/// P, L, A, C, T, V.
fn secs_of(ring: &RingPolicy) -> [i64; 6] {
    let spans = [
        ring.publish_lead,
        ring.max_lifetime.unwrap_or_default(),
        ring.assumed_cache,
        ring.jwks_max_age,
        ring.max_staleness,
        ring.leeway,
    ];
    spans.map(|span| span.as_us() / 1_000_000)
}

/// The timing of the helper, loosened where another rule would bind before `rule` does.
fn start(rule: &str) -> Timing {
    let mut timing = Timing { ring: policy(0), store: store_policy(0), limits: limits() };
    match rule {
        "write_window >= 4" => {
            let half = Span::from_us(500_000);
            timing.limits = StatementLimits { statement: half, idle_in_transaction: half };
        }
        "max_lifetime + leeway >= fresh_for" => timing.ring.leeway = Span::from_secs(2),
        "publish_lead >= assumed" => timing.ring.rotation_period = Some(Span::from_secs(1_000)),
        _ => {}
    }
    timing
}

impl Timing {
    fn check(&self) -> Result<(), keyring::Unsafe> {
        self.ring.check(&self.store, &self.limits)
    }
}
