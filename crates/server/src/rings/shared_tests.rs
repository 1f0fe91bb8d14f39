//! Rings of shared secrets, with clocks that the test moves; and the two rings of two apps.

use std::sync::Arc;

use jose::jwa::{Switch, Switches};
use jose::{PrivateJwk, SecretForm};
use serde_json::Value as Json;

use super::tests::{BY, DAY, HOUR, World, kids, mint, spec, weekly};
use super::{NewRingSpec, Rings, RingsError, SetKind, Timing};

fn secret(octets: usize) -> PrivateJwk {
    let text: Vec<u8> = (0..octets).map(|n| b'a' + (n % 26) as u8).collect();
    PrivateJwk::from_secret(&text, SecretForm::AsIs).unwrap()
}

fn actions(rings: &Rings) -> Vec<(String, String)> {
    let rows = rings.vault().store().audit_rows(0, 1_000).unwrap();
    rows.into_iter().map(|row| (row.action, row.object)).collect()
}

/// The kids of what a reader is given.
fn read(rings: &Rings, reader: &str) -> Vec<String> {
    let set = rings.read_secrets("public/r", reader, &BY).unwrap();
    let set: Json = serde_json::from_slice(set.expose()).unwrap();
    let keys = set["keys"].as_array().unwrap().clone();
    assert!(keys.iter().all(|key| key["kty"] == "oct" && key["k"].is_string()), "secrets");
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Who reads `public/r`, and whether each lacks the standby.
fn readers(rings: &Rings) -> Vec<(String, bool)> {
    let (live, _) = rings.live("public/r").unwrap();
    let readers = rings.readers(&live).unwrap();
    readers.into_iter().map(|reader| (reader.reader.name, reader.lacks_standby)).collect()
}

fn a_weekly_hmac_ring() -> (World, Arc<Rings>) {
    let world = World::new();
    let rings = world.replica(0);
    rings.make(&[spec("r", "HS256", weekly())], &BY).unwrap();
    (world, rings)
}

/// KR-26: 31 octets are refused for HS256 and 32 pass, less only with `allow_weak_hmac`, which is audited; those who read the
/// secrets are listed, and who lacks the standby; a retiring secret verifies until it is retired, and no longer.
#[test]
fn an_hmac_ring_is_read_and_verified() {
    let (world, rings) = a_weekly_hmac_ring();
    rings.make(&[spec("brought", "HS256", Timing::Static)], &BY).unwrap();
    let import = |octets, switches| rings.import("public/brought", secret(octets), switches, &BY);
    assert!(matches!(import(31, Switches::NONE), Err(RingsError::Vault(_))));
    let weak = Switches::NONE.with(Switch::WeakHmac);
    assert!(!actions(&rings).iter().any(|(action, _)| action == "permit_use"), "nothing was opened yet");
    assert_eq!(import(32, Switches::NONE).unwrap().1, Switches::NONE);
    assert_eq!(import(31, weak).unwrap().1, weak);
    let permit = ("permit_use".to_owned(), "allow_weak_hmac for key public/brought/3".to_owned());
    assert!(actions(&rings).contains(&permit), "{:?}", actions(&rings));
    assert_eq!(rings.quarantined(), [], "a weak secret that was let in is used");

    let first = read(&rings, "billing");
    assert_eq!((first.len(), readers(&rings)), (2, vec![("billing".to_owned(), false)]));
    assert!(actions(&rings).contains(&("key_read".to_owned(), "ring public/r for billing 2,1".to_owned())));
    let token = mint(&rings, HOUR).unwrap();
    let verified = rings.verify_shared("public/r", &token.token).unwrap();
    assert!(verified.is_ok() && rings.verify_shared("public/brought", &token.token).unwrap().is_err());

    // After the switch the next standby is there: who read before it lacks it.
    world.pass_secs(7 * DAY + 1);
    rings.refresh().unwrap();
    rings.tend(&BY).unwrap();
    assert_eq!(readers(&rings), [("billing".to_owned(), true)]);
    assert_eq!(read(&rings, "shop").len(), 3, "the retiring one is given, too");
    let behind = rings.rotate("public/r", "test", &BY).unwrap().readers_behind;
    assert_eq!(
        (behind, readers(&rings)),
        (vec!["billing".to_owned()], vec![("billing".to_owned(), true), ("shop".to_owned(), false)])
    );
    assert!(mint(&rings, HOUR).unwrap().kid != token.kid, "another one signs");
    assert!(rings.verify_shared("public/r", &token.token).unwrap().is_ok(), "a retiring secret verifies");
    let (head, tail) = token.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    assert!(rings.verify_shared("public/r", &forged).unwrap().is_err());
    world.pass_secs(2 * DAY);
    rings.refresh().unwrap();
    assert!(rings.verify_shared("public/r", &token.token).unwrap().is_err(), "a retired one does not");
    assert!(kids(&rings, SetKind::Runtime).is_empty(), "nothing of it is ever shown");
}

#[test]
fn only_a_ring_of_secrets_is_read_and_by_a_proper_name() {
    let (_world, rings) = a_weekly_hmac_ring();
    for name in ["", "Billing", "a b", "a\n", &"x".repeat(65)] {
        assert!(rings.read_secrets("public/r", name, &BY).is_err(), "{name:?}");
    }
    rings.make(&[spec("pairs", "EdDSA", weekly())], &BY).unwrap();
    assert!(matches!(rings.read_secrets("public/pairs", "billing", &BY), Err(RingsError::Refused(_))));
    assert!(!actions(&rings).iter().any(|(action, _)| action == "key_read"));
}

/// ST-59 (part): the dynamic keys of two apps turn at their own intervals, and nobody's key is in another's set.
#[test]
fn two_apps_turn_at_their_own_intervals() {
    let world = World::new();
    let rings = world.replica(0);
    let settings = crate::settings::CoreSettings {
        apps: vec!["a1".to_owned()],
        rotation_periods: vec![crate::settings::OfApp {
            app: "a1".to_owned(),
            value: std::time::Duration::from_secs(HOUR as u64),
        }],
        ..Default::default()
    };
    rings.make(&NewRingSpec::of_apps(&settings), &BY).unwrap();
    let signers = || {
        let (snapshot, _) = rings.snapshot().unwrap();
        ["public/d-rs256", "a1/d-rs256"].map(|ring| snapshot.ring(ring).unwrap().signing.unwrap().n)
    };
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(signers());
        world.pass_secs(HOUR / 2);
        rings.refresh().unwrap();
        rings.tend(&BY).unwrap();
        world.pass_secs(HOUR / 2);
        rings.refresh().unwrap();
    }
    assert_eq!(seen, [[1, 1], [1, 2], [1, 3], [1, 4]]);
    let rows = rings.vault().store().rings().unwrap().rings;
    let of = |app: &str| -> Vec<&str> {
        let theirs = rows.iter().filter(|ring| ring.tenant == app).flat_map(|ring| &ring.generations);
        theirs.map(|row| row.kid.as_str()).collect()
    };
    assert!(of("a1").len() > of("public").len() && of("a1").iter().all(|kid| !of("public").contains(kid)));
}
