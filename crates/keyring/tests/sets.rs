//! The key set of an address.

#![allow(clippy::unwrap_used, reason = "test code")]

mod helper;

use helper::{Rows, secs, us};
use jose::jwk::PublicJwk;
use keyring::{KeySet, Ring, RingKeys, Span, Use, VerifyOnly};

fn public(kid: &str) -> PublicJwk {
    let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"KID"}"#;
    PublicJwk::parse(text.replace("KID", kid).as_bytes()).unwrap()
}

fn kids(set: &KeySet) -> Vec<&str> {
    set.keys.keys.iter().map(|key| key.parameters.kid.as_deref().unwrap()).collect()
}

fn halves(kids: &[&str]) -> Vec<Option<PublicJwk>> {
    kids.iter().map(|kid| Some(public(kid))).collect()
}

/// By ring, the newest first, then what only verifies until its end.
#[test]
fn the_order_of_a_set() {
    let (dynamic, fixed) = (two_generations(), Rows::new(Use::Sign).made(0, 0).ring());
    let (d, s) = (halves(&["d-1", "d-2"]), halves(&["s-1"]));
    let rings = [RingKeys { ring: &dynamic, public: &d }, RingKeys { ring: &fixed, public: &s }];
    let lost = [VerifyOnly { public: public("lost"), until: secs(65) }];
    let set = KeySet::at(secs(60), &rings, &lost);
    assert_eq!(kids(&set), ["d-2", "d-1", "s-1", "lost"]);
    assert_eq!((set.max_age, set.next_change), (Some(Span::from_secs(10)), Some(secs(65))));
    assert_eq!(kids(&KeySet::at(secs(65), &rings, &lost)), ["d-2", "d-1", "s-1"]);
    assert_eq!(kids(&KeySet::at(us(76_999_999), &rings, &[])), ["d-2", "d-1", "s-1"]);
    assert_eq!(kids(&KeySet::at(secs(77), &rings, &[])), ["d-2", "s-1"], "without any write");
}

/// KR-20 (part): no shared secret has a place in a set, and an empty set is kept by no cache.
#[test]
fn shared_secrets_are_in_no_set() {
    let ring = Rows::new(Use::Mac).made(0, 0).ring();
    let set = KeySet::at(secs(0), &[RingKeys { ring: &ring, public: &[None] }], &[]);
    assert!(set.keys.keys.is_empty());
    assert_eq!(set.max_age, None);
}

/// A private half goes when its key is retired or revoked, once.
#[test]
fn what_may_be_destroyed() {
    let ring = two_generations();
    assert!(!ring.is_destroyable(1, us(76_999_999)));
    assert!(ring.is_destroyable(1, secs(77)));
    assert!(!ring.is_destroyable(2, secs(77)));
    let gone = Rows::new(Use::Sign).made(0, 0).made(0, 60).event(1, 78, keyring::EventKind::Destroyed).ring();
    assert!(!gone.is_destroyable(1, secs(78)));
}

fn two_generations() -> Ring {
    Rows::new(Use::Sign).made(0, 0).made(0, 60).ring()
}
