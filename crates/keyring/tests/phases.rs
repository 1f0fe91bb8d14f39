//! Phases, sets and signers at every boundary, one microsecond to each side of it.

mod helper;

use helper::{Rows, policy, secs, us};
use keyring::{BadRows, EventKind, Phase, Ring, RingPolicy, Span, StorePolicy, Time, Use};

use Phase::{Active, Destroyed, Published, Retired, Retiring, Revoked};

/// What a ring says at an instant: the phases by number, the signer, the numbers shown, those open.
type View = (Vec<Option<Phase>>, Option<u32>, Vec<u32>, Vec<u32>);

fn view(ring: &Ring, t: Time) -> View {
    let phases = ring.generations().iter().map(|generation| ring.phase(generation.n, t)).collect();
    (phases, ring.signer(t).map(|generation| generation.n), ring.shown(t), ring.open(t))
}

/// Asserts what holds up to the boundary, and from it on.
#[track_caller]
fn boundary(ring: &Ring, at: Time, before: View, from: View) {
    let one = Span::from_us(1);
    assert_eq!(view(ring, at - one), before, "1 us before");
    assert_eq!(view(ring, at), from, "at the boundary");
    assert_eq!(view(ring, at + one), from, "1 us after");
}

/// KR-02: each boundary of section 4: creation, planned start and removal of a signing ring.
#[test]
fn a_planned_rotation() {
    let ring = Rows::new(Use::Sign).made(0, 0).made(0, 60).made(60, 120).ring();
    let nothing = (vec![None, None, None], None, vec![], vec![]);
    let first = (vec![Some(Active), Some(Published), None], Some(1), vec![2, 1], vec![2, 1]);
    boundary(&ring, secs(0), nothing, first.clone());
    let second = (vec![Some(Retiring), Some(Active), Some(Published)], Some(2), vec![3, 2, 1], vec![3, 2]);
    boundary(&ring, secs(60), first, second.clone());
    // The handover at 60, L 10, V 5, twice S 1.
    let removed = (vec![Some(Retired), Some(Active), Some(Published)], Some(2), vec![3, 2], vec![3, 2]);
    boundary(&ring, secs(77), second, removed);
}

/// KR-02: the hold after a standby was hastened.
#[test]
fn a_hastened_rotation() {
    let hasten = |at, until| {
        let until = EventKind::Hastened { until: secs(until) };
        Rows::new(Use::Sign).made(0, 0).made(0, 60).event(2, at, until).ring()
    };
    let first = (vec![Some(Active), Some(Published)], Some(1), vec![2, 1], vec![2, 1]);
    let second = (vec![Some(Retiring), Some(Active)], Some(2), vec![2, 1], vec![2]);
    let removed = (vec![Some(Retired), Some(Active)], Some(2), vec![2], vec![2]);
    let old_enough = hasten(45, 45);
    boundary(&old_enough, secs(45), first.clone(), second.clone());
    // Decided at 45, held for T 8 and X 5, then L 10, V 5, twice S 1.
    boundary(&old_enough, secs(75), second.clone(), removed.clone());
    let younger = hasten(10, 40);
    boundary(&younger, secs(40), first, second.clone());
    boundary(&younger, secs(57), second, removed);
}

/// KR-02: revocation of the signer, with a standby and without.
#[test]
fn a_revoked_signer() {
    let with_standby = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(1, 30, EventKind::Revoked).ring();
    let first = (vec![Some(Active), Some(Published)], Some(1), vec![2, 1], vec![2, 1]);
    let second = (vec![Some(Revoked), Some(Active)], Some(2), vec![2], vec![2]);
    boundary(&with_standby, secs(30), first, second);

    let without = Rows::new(Use::Sign).made(0, 0).made(33, 73).event(1, 30, EventKind::Revoked).ring();
    let alone = (vec![Some(Active), None], Some(1), vec![1], vec![1]);
    let nobody = (vec![Some(Revoked), None], None, vec![], vec![]);
    boundary(&without, secs(30), alone, nobody.clone());
    let successor = (vec![Some(Revoked), Some(Active)], Some(2), vec![2], vec![2]);
    boundary(&without, secs(33), nobody, successor);
}

/// KR-02: revocation of the standby leaves the chain as if it had never been.
#[test]
fn a_revoked_standby() {
    let ring = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(2, 20, EventKind::Revoked).made(21, 61).ring();
    let before = (vec![Some(Active), Some(Published), None], Some(1), vec![2, 1], vec![2, 1]);
    let revoked = (vec![Some(Active), Some(Revoked), None], Some(1), vec![1], vec![1]);
    boundary(&ring, secs(20), before, revoked.clone());
    let replaced = (vec![Some(Active), Some(Revoked), Some(Published)], Some(1), vec![3, 1], vec![3, 1]);
    boundary(&ring, secs(21), revoked, replaced.clone());
    let third = (vec![Some(Retiring), Some(Revoked), Some(Active)], Some(3), vec![3, 1], vec![3]);
    boundary(&ring, secs(61), replaced, third.clone());
    let removed = (vec![Some(Retired), Some(Revoked), Some(Active)], Some(3), vec![3], vec![3]);
    boundary(&ring, secs(78), third, removed);
    assert_eq!((ring.start(2), ring.remove_at(2)), (None, None));
}

/// KR-02: a revocation at the very instant of the start keeps the generation in the chain, one before it does not.
#[test]
fn a_standby_revoked_at_its_start() {
    let at_start = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(2, 60, EventKind::Revoked).ring();
    assert_eq!(at_start.start(2), Some(secs(60)));
    assert_eq!(at_start.signer(secs(60)), None);
    let before = Rows::new(Use::Sign).made(0, 0).made(0, 60).event_at(2, us(59_999_999), EventKind::Revoked).ring();
    assert_eq!(before.start(2), None);
    assert_eq!(before.signer(secs(60)).unwrap().n, 1);
}

/// KR-02: a horizon holds the key until its last token is dead; a destroyed key is told as such.
#[test]
fn a_horizon_and_an_end() {
    let until = EventKind::Horizon { until: secs(1_000) };
    let rows = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(1, 20, until);
    let ring = rows.event(1, 1_010, EventKind::Destroyed).ring();
    let retiring = (vec![Some(Retiring), Some(Active)], Some(2), vec![2, 1], vec![2]);
    let retired = (vec![Some(Retired), Some(Active)], Some(2), vec![2], vec![2]);
    boundary(&ring, secs(1_007), retiring, retired.clone());
    let destroyed = (vec![Some(Destroyed), Some(Active)], Some(2), vec![2], vec![2]);
    boundary(&ring, secs(1_010), retired, destroyed);
}

/// KR-02: decryption rings show the active key alone, keep retiring ones open and wait for the caches too.
#[test]
fn a_decryption_ring() {
    let ring = Rows::new(Use::Decrypt).made(0, 0).made(0, 60).ring();
    let first = (vec![Some(Active), Some(Published)], Some(1), vec![1], vec![2, 1]);
    let second = (vec![Some(Retiring), Some(Active)], Some(2), vec![2], vec![2, 1]);
    boundary(&ring, secs(60), first, second.clone());
    let removed = (vec![Some(Retired), Some(Active)], Some(2), vec![2], vec![2]);
    boundary(&ring, secs(97), second, removed);
}

/// KR-02: rings of shared secrets show nothing and keep retiring ones open.
#[test]
fn a_ring_of_shared_secrets() {
    let ring = Rows::new(Use::Mac).made(0, 0).made(0, 60).ring();
    let first = (vec![Some(Active), Some(Published)], Some(1), vec![], vec![2, 1]);
    let second = (vec![Some(Retiring), Some(Active)], Some(2), vec![], vec![2, 1]);
    boundary(&ring, secs(60), first, second.clone());
    let removed = (vec![Some(Retired), Some(Active)], Some(2), vec![], vec![2]);
    boundary(&ring, secs(77), second, removed);
}

/// KR-02: a static ring's old key stays for good.
#[test]
fn a_static_ring() {
    let fixed = RingPolicy { rotation_period: None, max_lifetime: None, ..policy(0) };
    let ring = Rows::new(Use::Sign).policies(vec![fixed]).made(0, 0).made(500, 540).ring();
    let first = (vec![Some(Active), Some(Published)], Some(1), vec![2, 1], vec![2, 1]);
    let second = (vec![Some(Retiring), Some(Active)], Some(2), vec![2, 1], vec![2]);
    boundary(&ring, secs(540), first, second.clone());
    assert_eq!(ring.remove_at(1), Some(Time::NEVER));
    let ten_years = secs(315_576_000);
    assert_eq!(view(&ring, ten_years), second);
}

/// KR-02: a longer life that counted while the key signed is waited for; one that no longer counts is not.
#[test]
fn a_version_counts_until_its_staleness_after_the_next() {
    let removal = |n, replaced_at| {
        let long = RingPolicy { max_lifetime: Some(Span::from_secs(30)), ..policy(0) };
        let short = RingPolicy { created_at: replaced_at, ..policy(0) };
        let ring = Rows::new(Use::Sign).policies(vec![long, short]);
        ring.made(0, 0).made(0, 60).made(60, 120).ring().remove_at(n).unwrap()
    };
    assert_eq!(removal(1, secs(50)), secs(97), "it counted while the first key signed");
    // Replaced at 52, with T 8 it counts until 60, when the second key starts.
    assert_eq!(removal(2, us(51_999_999)), secs(137));
    assert_eq!(removal(2, secs(52)), secs(137));
    assert_eq!(removal(2, us(52_000_001)), secs(157));
    let raised = |created_at| {
        let long = RingPolicy { created_at, max_lifetime: Some(Span::from_secs(30)), ..policy(0) };
        Rows::new(Use::Sign).policies(vec![policy(0), long]).made(0, 0).made(0, 60).ring().remove_at(1).unwrap()
    };
    assert_eq!(raised(us(59_999_999)), secs(97));
    assert_eq!(raised(secs(60)), secs(97), "a change at the handover counts");
    assert_eq!(raised(us(60_000_001)), secs(77));
}

/// KR-02: the hold uses the staleness that counted when the successor was fixed, and the widest windows ever.
#[test]
fn the_hold_is_the_longest_that_anybody_may_act_on() {
    let patient = RingPolicy { max_staleness: Span::from_secs(100), ..policy(0) };
    let quick = RingPolicy { created_at: secs(10), ..policy(0) };
    let removal = |made_at| {
        let rows = Rows::new(Use::Sign).policies(vec![patient, quick]).made(0, 0);
        rows.made(made_at, made_at + 40).ring().remove_at(1).unwrap()
    };
    // Replaced at 10 it counts until 110: whoever acts on it may hold on for 100, and X 5.
    assert_eq!(removal(109), secs(109 + 105 + 17));
    assert_eq!(removal(110), secs(110 + 40 + 17));
    let wide = StorePolicy {
        created_at: secs(1),
        write_window: Span::from_secs(50),
        clock_error: Span::from_secs(3),
        ..helper::store_policy(0)
    };
    let narrow = StorePolicy { created_at: secs(2), ..helper::store_policy(0) };
    let ring = Rows::new(Use::Sign).store_policies(vec![helper::store_policy(0), wide, narrow]);
    let ring = ring.made(0, 0).made(20, 60).ring();
    assert_eq!(ring.remove_at(1), Some(secs(20 + 58 + 15 + 6)));
}

/// KR-02: a generation's planned start, as stored with it.
#[test]
fn a_planned_start_is_a_period_after_the_last_and_a_lead_after_the_creation() {
    assert_eq!(Rows::new(Use::Sign).ring().activate_at(secs(7)), secs(7), "the first signs at once");
    let ring = Rows::new(Use::Sign).made(0, 0).ring();
    assert_eq!(ring.activate_at(secs(0)), secs(60));
    assert_eq!(ring.activate_at(secs(20)), secs(60));
    assert_eq!(ring.activate_at(us(20_000_001)), us(60_000_001));
    let fixed = RingPolicy { rotation_period: None, max_lifetime: None, ..policy(0) };
    assert_eq!(Rows::new(Use::Sign).policies(vec![fixed]).made(0, 0).ring().activate_at(secs(1)), secs(41));
    let longer = RingPolicy { publish_lead: Span::from_secs(50), ..policy(0) };
    let shorter = RingPolicy { created_at: secs(30), ..policy(0) };
    let ring = Rows::new(Use::Sign).policies(vec![longer, shorter]).made(0, 0).ring();
    assert_eq!(ring.activate_at(us(37_999_999)), us(87_999_999), "the longer lead counts for T 8 more");
    assert_eq!(ring.activate_at(secs(38)), secs(78));
}

#[test]
fn the_next_change_is_the_next_boundary() {
    let ring = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(1, 70, EventKind::Destroyed).ring();
    let mut t = us(-1);
    let mut changes = Vec::new();
    while let Some(next) = ring.next_change(t) {
        changes.push(next);
        t = next;
    }
    assert_eq!(changes, [secs(0), secs(60), secs(70), secs(77)]);
}

#[test]
fn rows_that_make_no_ring_are_refused() {
    let no_timing = Rows::new(Use::Sign).policies(vec![]).build();
    assert_eq!(no_timing.unwrap_err(), BadRows::NoPolicy);
    let gap = Rows::new(Use::Sign).made(0, 0).numbered(3, 0, 60).build();
    assert_eq!(gap.unwrap_err(), BadRows::Numbering { n: 2 });
    let twice = Rows::new(Use::Sign).made(0, 0).numbered(1, 0, 60).build();
    assert_eq!(twice.unwrap_err(), BadRows::Numbering { n: 2 });
    let nobody = Rows::new(Use::Sign).made(0, 0).event(2, 0, EventKind::Revoked).build();
    assert_eq!(nobody.unwrap_err(), BadRows::UnknownGeneration { n: 2 });
}
