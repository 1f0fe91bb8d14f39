//! What is made of a key that a message brings along is made once, and anew when the key is another.

use std::sync::atomic::Ordering;
use std::thread;

use jose::jwa::{Switch, Switches};

use super::{Brought, Form, Kid, Layer, SecretText};
use crate::{FaultKind, Keeper, Label, Secret, Software};

const CLAIMS: &[u8] = br#"{"sub":"alice"}"#;
const OCT: &str = r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#;
const OTHER: &str = r#"{"kty":"oct","k":"b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI"}"#;
/// An RSA key of `n`, `e`, `d` alone, whose primes have to be found.
const RSA: &str = include_str!("../../../../testdata/api-connect/keys/rsa-4098.json");

fn software() -> Software {
    Software::new(Keeper::ephemeral().unwrap().0, |_| None)
}

fn layer<'a>(key: Brought<'a>, algorithm: &'a str) -> Layer<'a> {
    Layer {
        key,
        also: None,
        rsa_bits: None,
        algorithm: Some(algorithm),
        content: None,
        kid: Kid::Nowhere,
        header: Form::KidFirst,
        switches: Switches::NONE,
    }
}

fn token(software: &Software, key: Brought<'_>, algorithm: &str) -> String {
    software.sign(&layer(key, algorithm), CLAIMS).unwrap().token
}

fn prepared(software: &Software) -> u64 {
    software.keys_prepared().load(Ordering::Relaxed)
}

#[test]
fn a_key_is_prepared_once_for_all_who_come_at_once() {
    let software = software();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    token(&software, Brought::Jwk(RSA), "RS256");
                }
            });
        }
    });
    assert_eq!(prepared(&software), 1);
    token(&software, Brought::Jwk(RSA), "PS256");
    assert_eq!(prepared(&software), 2);
}

#[test]
fn a_key_that_is_none_is_looked_at_once() {
    let software = software();
    for _ in 0..3 {
        let fault = software.sign(&layer(Brought::Jwk("{}"), "HS256"), CLAIMS).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unusable);
    }
    assert_eq!(prepared(&software), 1);
}

#[test]
fn a_secret_that_is_set_later_signs_the_next_token() {
    let software = software();
    let set = |text: &str| {
        let label = Label { owner: "api/key", ..Label::default() };
        software.set(software.keeper().seal(&label, &Secret::new(text.as_bytes().to_vec())).unwrap());
    };
    let secret = Brought::Secret("api/key", SecretText::Jwk);
    for (text, times) in [(OCT, 1), (OCT, 1), (OTHER, 2), (OCT, 2)] {
        set(text);
        let direct = self::software();
        assert_eq!(token(&software, secret, "HS256"), token(&direct, Brought::Jwk(text), "HS256"));
        assert_eq!(prepared(&software), times);
    }
}

#[test]
fn what_one_caller_allows_is_not_kept_for_another() {
    let software = software();
    let short = r#"{"kty":"oct","k":"c2hvcnQ"}"#;
    let allowing = Layer { switches: Switches::NONE.with(Switch::WeakHmac), ..layer(Brought::Jwk(short), "HS256") };
    assert!(software.sign(&allowing, CLAIMS).is_ok());
    let fault = software.sign(&layer(Brought::Jwk(short), "HS256"), CLAIMS).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Length);
}

#[test]
fn more_keys_than_are_kept_are_prepared_again() {
    let software = software();
    let sign_all = || {
        for number in 0..=super::kept::KEPT_MAX {
            let key =
                format!(r#"{{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE","kid":"{number}"}}"#);
            token(&software, Brought::Jwk(&key), "HS256");
        }
    };
    sign_all();
    let once = prepared(&software);
    sign_all();
    assert!(prepared(&software) > once, "all were kept, and nothing bounds them");
}
