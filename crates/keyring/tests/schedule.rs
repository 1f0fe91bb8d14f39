//! When generations are made, and how early a standby may sign.

mod helper;

use helper::{Rows, policy, secs, us};
use keyring::{EventKind, Haste, RingPolicy, Span, Standby, Time, Use};

fn fixed() -> RingPolicy {
    RingPolicy { rotation_period: None, max_lifetime: None, ..policy(0) }
}

/// KR-08 (part): both settings of the standby, and when its absence is told.
#[test]
fn a_standby_is_due_at_once_or_at_the_lead() {
    let at_once = Rows::new(Use::Sign).made(0, 0).ring();
    assert_eq!(at_once.standby_due_at(), Some(secs(0)));
    let policies = vec![RingPolicy { standby: Standby::AtLead, ..policy(0) }];
    let at_lead = Rows::new(Use::Sign).policies(policies).made(0, 0).ring();
    assert_eq!(at_lead.standby_due_at(), Some(secs(20)), "D 60 less P 40");
    assert_eq!(at_lead.activate_at(secs(20)), secs(60), "so that it starts on time");
    let waiting = Rows::new(Use::Sign).made(0, 0).made(0, 60).ring();
    assert_eq!(waiting.standby_due_at(), Some(secs(60)), "not before the one that waits has started");
    for ring in [&at_once, &at_lead] {
        assert!(!ring.is_overdue(secs(320)));
        assert!(ring.is_overdue(us(320_000_001)));
    }
    assert!(!waiting.is_overdue(secs(380)));
}

#[test]
fn a_ring_without_a_key_waits_for_its_first() {
    assert_eq!(Rows::new(Use::Sign).ring().standby_due_at(), Some(Time::from_us(i64::MIN)));
    assert_eq!(Rows::new(Use::Sign).policies(vec![fixed()]).ring().standby_due_at(), Some(Time::from_us(i64::MIN)));
}

/// KR-10: a revoked standby leaves the signer and makes room for the next one.
#[test]
fn a_revoked_standby_is_replaced() {
    let rows = || Rows::new(Use::Sign).made(0, 0).made(0, 60).event(2, 20, EventKind::Revoked);
    let ring = rows().ring();
    assert_eq!(ring.signer(secs(20)).unwrap().n, 1);
    assert_eq!(ring.standby(secs(20)), None);
    assert_eq!(ring.standby_due_at(), Some(secs(0)));
    assert_eq!(rows().made(21, 61).ring().standby(secs(21)), Some((3, secs(61))));
}

/// KR-10: with signer and standby revoked a new generation signs as soon as it is made.
#[test]
fn both_revoked_the_next_signs_as_soon_as_made() {
    let rows = || {
        let rows = Rows::new(Use::Sign).made(0, 0).made(0, 60);
        rows.event(1, 20, EventKind::Revoked).event(2, 20, EventKind::Revoked)
    };
    let ring = rows().ring();
    assert_eq!(ring.signer(secs(20)), None);
    assert_eq!(ring.standby_due_at(), Some(secs(20)));
    let planned = ring.activate_at(secs(23));
    assert!(planned > secs(23));
    let ring = rows().made(23, planned.whole_secs()).ring();
    assert_eq!(ring.signer(us(22_999_999)), None);
    assert_eq!(ring.signer(secs(23)).unwrap().n, 3);
}

/// KR-13: a static ring makes nothing by itself in ten years; its operator's rotation leaves both keys published.
#[test]
fn a_static_ring_is_left_alone() {
    let ten_years = secs(315_576_000);
    let alone = Rows::new(Use::Sign).policies(vec![fixed()]).made(0, 0).ring();
    assert_eq!(alone.standby_due_at(), None);
    assert_eq!(alone.next_change(secs(0)), None);
    assert_eq!((alone.signer(ten_years).unwrap().n, alone.shown(ten_years)), (1, vec![1]));
    assert!(!alone.is_overdue(ten_years));
    let made_at = secs(1_000);
    assert_eq!(alone.activate_at(made_at), secs(1_040), "the usual lead");
    let rotated = Rows::new(Use::Sign).policies(vec![fixed()]).made(0, 0).made(1_000, 1_040).ring();
    assert_eq!(rotated.signer(us(1_039_999_999)).unwrap().n, 1);
    assert_eq!((rotated.signer(ten_years).unwrap().n, rotated.shown(ten_years)), (2, vec![2, 1]));
    let revoked = Rows::new(Use::Sign).policies(vec![fixed()]).made(0, 0).event(1, 7, EventKind::Revoked).ring();
    assert_eq!(revoked.standby_due_at(), Some(secs(7)), "nothing else is left to sign with");
}

/// KR-09 (part): a standby P old starts at once, a younger one when caches hold it, none later than planned.
#[test]
fn haste_waits_for_the_caches() {
    let ring = Rows::new(Use::Sign).made(0, 0).made(10, 70).ring();
    // A 20, F 3, twice S: 25 after its creation; P 40 is more.
    for (t, until) in [(11, 35), (34, 35), (35, 35), (36, 36), (60, 60), (69, 69)] {
        assert_eq!(ring.rotate_now(secs(t)), Some(Haste { n: 2, until: secs(until) }), "{t}");
    }
    assert_eq!(ring.rotate_now(secs(70)), None, "it signs already");
    assert_eq!(ring.rotate_now(secs(9)), None, "it is not made yet");
    let short = RingPolicy { publish_lead: Span::from_secs(22), ..policy(0) };
    let ring = Rows::new(Use::Sign).policies(vec![short]).made(0, 0).made(10, 70).ring();
    assert_eq!(ring.rotate_now(secs(11)), Some(Haste { n: 2, until: secs(32) }), "P is less");
}
