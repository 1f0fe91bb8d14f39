//! How long a token may live: ceilings, and changes of L and C.

#![allow(clippy::unwrap_used, reason = "test code")]

mod helper;

use helper::{Rows, policy, secs, us};
use keyring::{AskedExp, Expiry, ExpiryRefusal, NUMERIC_DATE_MAX, OverLife, Ring, RingPolicy, Span, Time, Use};

const DAY: i64 = 86_400;

fn over_life(over_life: OverLife) -> Ring {
    let policies = vec![RingPolicy { over_life, ..policy(0) }];
    Rows::new(Use::Sign).policies(policies).made(0, 0).made(0, 60).ring()
}

/// What becomes of `exp` in a token of that second.
fn expiry(ring: &Ring, at: i64, asked: AskedExp) -> Result<Expiry, ExpiryRefusal> {
    ring.signing(secs(at)).unwrap().expiry(at, asked)
}

fn ceiling(ring: &Ring, t: Time) -> Option<i64> {
    ring.signing(t).unwrap().ceiling_secs(t.whole_secs())
}

/// KR-15 (part): each row of the table of section 7, with 0, -5 and numbers that are no dates.
#[test]
fn each_row_of_the_table() {
    let (cut, refuse, keep) = (over_life(OverLife::Cut), over_life(OverLife::Refuse), over_life(OverLife::Keep));
    for ring in [&cut, &refuse, &keep] {
        for within in [30, 20, 0, -5, -NUMERIC_DATE_MAX] {
            assert_eq!(expiry(ring, 20, AskedExp::At(within)), Ok(Expiry::AsAsked), "{within}");
        }
        assert_eq!(expiry(ring, 20, AskedExp::Nothing), Err(ExpiryRefusal::Required));
        for invalid in [AskedExp::Invalid, AskedExp::At(NUMERIC_DATE_MAX + 1), AskedExp::At(i64::MAX)] {
            assert_eq!(expiry(ring, 20, invalid), Err(ExpiryRefusal::Invalid), "{invalid:?}");
        }
    }
    assert_eq!(expiry(&cut, 20, AskedExp::At(31)), Ok(Expiry::Cut { exp_secs: 30 }));
    let exceeds = ExpiryRefusal::ExceedsRing { exp_secs: 31, ceiling_secs: 30 };
    assert_eq!(expiry(&refuse, 20, AskedExp::At(31)), Err(exceeds));
    assert_eq!(expiry(&keep, 20, AskedExp::At(31)), Ok(Expiry::AfterHorizon { until: secs(DAY) }));
}

/// A horizon goes in five steps from the generation's start, and none leads beyond 200 years.
#[test]
fn a_horizon_goes_in_five_steps() {
    let keep = over_life(OverLife::Keep);
    let steps = [DAY, 30 * DAY, 365 * DAY, 3_653 * DAY, 73_050 * DAY];
    for (at, step) in steps.iter().enumerate() {
        let before = if at == 0 { 31 } else { steps[at - 1] + 1 };
        for exp in [before, *step] {
            assert_eq!(expiry(&keep, 20, AskedExp::At(exp)), Ok(Expiry::AfterHorizon { until: secs(*step) }));
        }
    }
    let beyond = expiry(&keep, 20, AskedExp::At(73_050 * DAY + 1));
    assert!(matches!(beyond, Err(ExpiryRefusal::ExceedsRing { .. })));
    let hundred_years = expiry(&keep, 20, AskedExp::At(20 + 3_153_600_000));
    assert_eq!(hundred_years, Ok(Expiry::AfterHorizon { until: secs(73_050 * DAY) }));
}

/// KR-14 (part): once the horizon is stored the next tokens within it need no event.
#[test]
fn a_stored_horizon_is_enough() {
    let policies = vec![RingPolicy { over_life: OverLife::Keep, ..policy(0) }];
    let until = keyring::EventKind::Horizon { until: secs(DAY) };
    let ring = Rows::new(Use::Sign).policies(policies).made(0, 0).made(0, 60).event(1, 20, until).ring();
    assert_eq!(expiry(&ring, 21, AskedExp::At(DAY)), Ok(Expiry::AsAsked));
    assert_eq!(expiry(&ring, 21, AskedExp::At(DAY + 1)), Ok(Expiry::AfterHorizon { until: secs(30 * DAY) }));
    assert_eq!(ring.remove_at(1), Some(secs(DAY + 7)), "V 5 and twice S behind the horizon");
}

/// The key leaves with its last token: the ceiling falls to what its removal allows.
#[test]
fn no_token_outlives_its_key() {
    let until = keyring::EventKind::Hastened { until: secs(30) };
    let ring = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(2, 30, until).ring();
    // Signs until 30, held for T 8 and X 5: handover at 43, L 10.
    assert_eq!(ring.remove_at(1), Some(secs(43 + 10 + 7)));
    assert_eq!(ceiling(&ring, us(29_999_999)), Some(39));
    let static_policy = RingPolicy { rotation_period: None, max_lifetime: None, ..policy(0) };
    let ring = Rows::new(Use::Sign).policies(vec![static_policy]).made(0, 0).ring();
    assert_eq!(ceiling(&ring, secs(1)), None);
    for asked in [AskedExp::Nothing, AskedExp::Invalid, AskedExp::At(i64::MAX)] {
        assert_eq!(expiry(&ring, 1, asked), Ok(Expiry::AsAsked), "{asked:?}");
    }
}

/// KR-11: a lowered L counts from the next token on and no removal moves; a raised one counts T + X + 2S later.
#[test]
fn a_change_of_l_is_never_early() {
    let changed = |lifetime| {
        let next = RingPolicy { created_at: secs(20), max_lifetime: Some(Span::from_secs(lifetime)), ..policy(0) };
        Rows::new(Use::Sign).policies(vec![policy(0), next]).made(0, 0).made(0, 60).made(60, 120).ring()
    };
    let unchanged = Rows::new(Use::Sign).made(0, 0).made(0, 60).made(60, 120).ring();
    let lowered = changed(4);
    assert_eq!(ceiling(&lowered, us(19_999_999)), Some(29));
    assert_eq!(ceiling(&lowered, secs(20)), Some(24));
    assert_eq!(lowered.remove_at(1), unchanged.remove_at(1));
    let raised = changed(40);
    // T 8, X 5, twice S.
    assert_eq!(ceiling(&raised, us(34_999_999)), Some(44));
    assert_eq!(ceiling(&raised, secs(35)), Some(75));
    assert_eq!(raised.next_change(secs(20)), Some(secs(35)), "a snapshot is made anew then");
    assert!(raised.remove_at(1) > unchanged.remove_at(1));
}

/// KR-11: a lowered C is served at once; a raised one when every waiting generation was made under it.
#[test]
fn a_change_of_c_is_never_early() {
    let changed = |max_age| {
        let next = RingPolicy { created_at: secs(20), jwks_max_age: Span::from_secs(max_age), ..policy(0) };
        let rows = Rows::new(Use::Sign).policies(vec![policy(0), next]);
        rows.made(0, 0).made(0, 60).made(60, 120).ring()
    };
    let lowered = changed(4);
    assert_eq!(lowered.jwks_max_age(us(19_999_999)), Span::from_secs(10));
    assert_eq!(lowered.jwks_max_age(secs(20)), Span::from_secs(4));
    let raised = changed(20);
    assert_eq!(raised.jwks_max_age(us(59_999_999)), Span::from_secs(10), "the second was made under the old one");
    assert_eq!(raised.jwks_max_age(secs(60)), Span::from_secs(20));
}
