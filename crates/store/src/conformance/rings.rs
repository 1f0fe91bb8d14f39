//! What every kind of store must do with key rings.

use std::sync::atomic::{AtomicU64, Ordering};

use keyring::{EventKind, RingPolicy, Span, StorePolicy, Time, Use};

use super::{actions, count};
use crate::testing::{BY, boxed, sql};
use crate::{Change, Error, GenerationRow, NewGeneration, NewRing, PrivateHalf, RingRows, SealedBox, Store, key_owner};

/// The default timing of a ring that makes a generation every seven days.
pub(super) fn rotating() -> RingPolicy {
    let never = Time::from_us(0);
    RingPolicy::with_defaults(Some(Span::from_secs(7 * 86_400)), &StorePolicy::with_defaults(never), never)
}

pub(crate) fn new_ring(name: &str) -> NewRing<'_> {
    NewRing {
        tenant: "public",
        name,
        use_: Use::Sign,
        alg: "ES256",
        kid_prefix: "",
        signer: "software",
        policy: rotating(),
    }
}

/// A name that no ring and no key has yet.
pub(super) fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("fresh-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Makes the next generation of a ring.
pub(crate) fn make_key(change: &mut Change<'_>, ring_id: &str) -> Result<Option<GenerationRow>, Error> {
    let n = change.number("SELECT count(*) FROM generation WHERE ring_id = ?1", crate::sql::params![ring_id])?;
    let n = u32::try_from(n).unwrap() + 1;
    let (kid, sealed) = (format!("{ring_id}-{n}"), key_box(ring_id, n));
    change.make_generation(&generation(ring_id, n, &kid, &sealed))
}

/// Sees to it that a ring is there with a signer and a standby.
pub(crate) fn with_standby(store: &Store, name: &str) {
    let there = store.rings().unwrap().rings.iter().any(|ring| ring.name == name);
    let made: Result<(), Error> = store.change(&BY, |change| {
        if !there {
            change.make_ring(&new_ring(name))?;
            make_key(change, &format!("public/{name}"))?;
            make_key(change, &format!("public/{name}"))?;
        }
        Ok(())
    });
    made.unwrap();
}

fn key_box(ring_id: &str, n: u32) -> SealedBox {
    boxed(&key_owner(ring_id, n), b"a private half")
}

fn generation<'a>(ring_id: &'a str, n: u32, kid: &'a str, sealed: &'a SealedBox) -> NewGeneration<'a> {
    let public_jwk = Some(r#"{"kty":"EC"}"#);
    NewGeneration {
        ring_id,
        n,
        kid,
        thumbprint: kid,
        public_jwk,
        is_imported: false,
        private: PrivateHalf::Sealed(sealed),
        reason: "test",
    }
}

fn only(store: &Store) -> RingRows {
    let mut rings = store.rings().unwrap().rings;
    assert_eq!(rings.len(), 1);
    rings.remove(0)
}

fn make(store: &Store, n: u32, kid: &str) -> Result<Option<GenerationRow>, Error> {
    let sealed = key_box("public/es256", n);
    store.change(&BY, |change| change.make_generation(&generation("public/es256", n, kid, &sealed)))
}

fn ring(store: &Store) {
    store.change(&BY, |change| change.make_ring(&new_ring("es256"))).unwrap();
}

pub(super) fn a_ring_comes_back_as_it_was_made(store: &Store) {
    let before = store.rings().unwrap();
    assert!(before.rings.is_empty());
    let defaults = StorePolicy::with_defaults(before.store_policies[0].created_at);
    assert_eq!(before.store_policies, [defaults], "F, R, S and X are there from the start");
    ring(store);
    let found = only(store);
    assert_eq!(
        (found.ring_id.as_str(), found.tenant.as_str(), found.name.as_str()),
        ("public/es256", "public", "es256")
    );
    assert_eq!(
        (found.use_, found.alg.as_str(), found.signer.as_str(), found.epoch),
        (Use::Sign, "ES256", "software", 1)
    );
    let made_at = found.policies[0].created_at;
    assert_eq!(found.policies, [RingPolicy { created_at: made_at, ..rotating() }]);
    assert!(made_at >= before.now && made_at <= store.rings().unwrap().now);
    let again = store.change(&BY, |change| change.make_ring(&new_ring("es256")));
    assert!(matches!(again, Err(Error::RingExists { .. })));
    for name in ["", "-a", "A", "a/b", "ü", &"n".repeat(65)] {
        assert!(store.change(&BY, |change| change.make_ring(&new_ring(name))).is_err(), "{name}");
    }
    assert_eq!(actions(store), ["init store done", "ring_make ring public/es256 done"]);
}

pub(super) fn a_generation_is_whole_and_made_once(store: &Store) {
    ring(store);
    let first = make(store, 1, "one").unwrap().unwrap();
    assert_eq!(first.activate_at, first.created_at, "the first signs at once");
    let second = make(store, 2, "two").unwrap().unwrap();
    assert_eq!(second.activate_at, first.created_at + Span::from_secs(7 * 86_400));
    assert!(make(store, 2, "another").unwrap().is_none(), "somebody made it first");
    assert!(make(store, 4, "too far").unwrap().is_none(), "no number is left out");
    let found = only(store);
    assert_eq!(found.generations, [first, second]);
    assert!(found.generations.iter().all(|generation| generation.is_whole));
    let sealed = store.sealed(&key_owner("public/es256", 2)).unwrap();
    assert_eq!(sealed, Some(key_box("public/es256", 2)));
    let lost = [count(store, "SELECT count(*) FROM sealed"), count(store, "SELECT count(*) FROM key_event")];
    assert_eq!(lost, [3, 3], "the salt and two halves; the timing and two creations");
    assert_eq!(store.verify_rings().unwrap(), 3);
    store.verify_audit().unwrap();
}

pub(super) fn a_key_is_known_once_in_a_tenant(store: &Store) {
    ring(store);
    make(store, 1, "one").unwrap();
    assert!(matches!(make(store, 2, "one"), Err(Error::KeyKnown { n: 1, .. })));
    let elsewhere = NewRing { tenant: "app-2", ..new_ring("es256") };
    store.change(&BY, |change| change.make_ring(&elsewhere)).unwrap();
    let sealed = key_box("app-2/es256", 1);
    let theirs = store.change(&BY, |change| change.make_generation(&generation("app-2/es256", 1, "one", &sealed)));
    assert!(theirs.unwrap().is_some());
}

pub(super) fn an_unsafe_timing_is_refused(store: &Store) {
    ring(store);
    let short = RingPolicy { publish_lead: Span::from_secs(3_600), ..rotating() };
    let refusal = store.change(&BY, |change| change.set_ring_policy("public/es256", short)).unwrap_err();
    assert_eq!(refusal.code(), "timing_unsafe");
    assert!(refusal.to_string().contains("publish_lead >= assumed_cache"), "{refusal}");
    let fixed = RingPolicy { rotation_period: None, max_lifetime: None, ..rotating() };
    assert!(store.change(&BY, |change| change.set_ring_policy("public/es256", fixed)).is_err());
    let lower = RingPolicy { max_lifetime: Some(Span::from_secs(600)), ..rotating() };
    store.change(&BY, |change| change.set_ring_policy("public/es256", lower)).unwrap();
    assert_eq!(only(store).policies.len(), 2);
    assert_eq!(actions(store).len(), 3, "what is refused changes nothing");
}

pub(super) fn haste_is_an_event_and_moves_the_start(store: &Store) {
    ring(store);
    let rotate = || store.change(&BY, |change| change.rotate_now("public/es256", "test")).unwrap();
    make(store, 1, "one").unwrap();
    assert_eq!(rotate(), None, "no standby waits");
    let second = make(store, 2, "two").unwrap().unwrap();
    let rotated = rotate().unwrap();
    // A 1 h, F 60 s, twice S 5 s.
    let start = second.created_at + Span::from_secs(3_670);
    assert_eq!((rotated.haste.n, rotated.haste.until), (2, start));
    let world = store.rings().unwrap();
    let ring = world.rings[0].ring(&world.store_policies).unwrap();
    assert_eq!(ring.start(2), Some(start));
    assert_eq!(ring.remove_at(1), Some(rotated.old_removed_at));
}

pub(super) fn a_revoked_key_is_destroyed_with_its_box(store: &Store) {
    with_standby(store, "es256");
    let destroy = |n| store.change(&BY, |change| change.destroy("public/es256", n)).unwrap();
    assert!(!destroy(1), "it signs");
    let revoke = || store.change(&BY, |change| change.revoke("public/es256", 1, "leaked")).unwrap();
    assert!(revoke());
    assert!(!revoke());
    let world = store.rings().unwrap();
    assert_eq!(world.rings[0].ring(&world.store_policies).unwrap().signer(world.now).unwrap().n, 2);
    assert!(destroy(1));
    assert!(!destroy(1));
    assert_eq!(store.sealed(&key_owner("public/es256", 1)).unwrap(), None);
    let unknown = store.change(&BY, |change| change.revoke("public/es256", 3, ""));
    assert!(matches!(unknown, Err(Error::NoGeneration { n: 3, .. })));
    let kinds: Vec<_> = only(store).events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Revoked, EventKind::Destroyed]);
    store.verify_rings().unwrap();
}

pub(super) fn every_change_of_a_ring_raises_its_epoch(store: &Store) {
    with_standby(store, "es256");
    let epoch = || store.epochs().unwrap().of_rings;
    assert_eq!(epoch(), [("public/es256".to_owned(), 3)]);
    store.change(&BY, |change| change.set_horizon("public/es256", 1, Time::from_us(9))).unwrap();
    assert_eq!(epoch(), [("public/es256".to_owned(), 4)]);
    let nothing: Result<(), Error> = store.change(&BY, |change| {
        change.revoke("public/es256", 1, "")?;
        Err(Error::EmptyName { what: "test" })
    });
    nothing.unwrap_err();
    assert_eq!(epoch(), [("public/es256".to_owned(), 4)]);
}

pub(super) fn rings_cannot_be_changed_behind_our_back(store: &Store) {
    with_standby(store, "es256");
    store.change(&BY, |change| change.republish("public", "lost", "{}", Time::NEVER)).unwrap();
    let columns = [
        ("ring", "name"),
        ("ring_policy", "publish_lead"),
        ("store_policy", "clock_error"),
        ("generation", "kid"),
        ("key_event", "kind"),
        ("verify_only", "until"),
    ];
    for (table, column) in columns {
        for statement in [format!("UPDATE {table} SET {column} = {column}"), format!("DELETE FROM {table}")] {
            assert!(sql(store, &statement).is_err(), "{statement}");
        }
    }
    let lowered = sql(store, "UPDATE ring_epoch SET epoch = 1");
    assert!(lowered.is_err(), "an epoch only rises");
}

/// KR-20 (part): the 257th key is not made.
pub(super) fn the_257th_key_is_not_made(store: &Store) {
    let fixed = RingPolicy { rotation_period: None, max_lifetime: None, ..rotating() };
    let fixed = NewRing { policy: fixed, ..new_ring("es256") };
    store.change(&BY, |change| change.make_ring(&fixed)).unwrap();
    let all: Result<(), Error> = store.change(&BY, |change| {
        for _ in 0..keyring::KEYS_MAX - 1 {
            make_key(change, "public/es256")?;
        }
        change.republish("public", "lost", "{}", Time::NEVER).map(drop)
    });
    all.unwrap();
    assert!(matches!(make(store, 256, "256"), Err(Error::KeySetFull { max: 256 })));
    store.change(&BY, |change| change.revoke("public/es256", 7, "")).unwrap();
    assert!(make(store, 256, "256").unwrap().is_some());
}

pub(super) fn a_lost_key_is_shown_again(store: &Store) {
    with_standby(store, "es256");
    let again =
        |kid: &str| store.change(&BY, |change| change.republish("public", kid, "{}", Time::from_us(7))).unwrap();
    assert!(again("lost"));
    assert!(!again("lost"));
    assert!(!again("public/es256-1"), "a ring has it");
    let world = store.rings().unwrap();
    assert_eq!((world.verify_only.len(), world.verify_only[0].until), (1, Time::from_us(7)));
    assert_eq!(store.epochs().unwrap().verify_only, 1);
}
