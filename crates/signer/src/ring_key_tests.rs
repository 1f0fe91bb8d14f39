//! Keys of rings: what is drawn is sealed for one place, and opens there alone.

use jose::jwa::{SignatureAlgorithm, Switch, Switches};
use jose::jwk::{Jwk, PublicJwk};
use jose::jws::{HeaderPlan, Verifier};
use jose::{PrivateJwk, RsaBits, SecretForm, VerifyingKey};

use crate::{Error, Keeper, OpenKey, Place, RingKey, SealedBox, export};

fn keeper() -> Keeper {
    Keeper::ephemeral().unwrap().0
}

fn row(alg: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(alg).unwrap()
}

fn place<'a>(alg: &'a str, kid: &'a str) -> Place<'a> {
    Place { owner: "ring-key/public/r/1", ring: "public/r", alg, n: 1, kid, signer: "software" }
}

/// A key, its box and its public half.
fn made(keeper: &Keeper, alg: &str) -> (RingKey, SealedBox, Option<PublicJwk>) {
    let key = RingKey::generate(keeper, row(alg), RsaBits::Bits2048, "d-").unwrap();
    let sealed = key.seal(keeper, &place(alg, key.kid())).unwrap().unwrap();
    let public = key.public_jwk().map(|text| PublicJwk::parse(text.as_bytes()).unwrap());
    (key, sealed, public)
}

#[test]
fn a_key_signs_after_it_was_sealed_and_opened() {
    let keeper = keeper();
    for alg in ["ES256", "RS256", "EdDSA", "ES384", "PS256"] {
        let (key, sealed, public) = made(&keeper, alg);
        let public = public.unwrap();
        assert_eq!(key.kid(), format!("d-{}", public.thumbprint()), "prefix and RFC 7638 thumbprint");
        assert_eq!((public.parameters.alg.as_deref(), public.parameters.use_.as_deref()), (Some(alg), Some("sig")));
        let open = OpenKey::open(&keeper, &place(alg, key.kid()), row(alg), &sealed, Some(&public)).unwrap();
        let token = open.mint(&open.header(&HeaderPlan::jwt()).unwrap(), b"{}").unwrap();
        let verifying = VerifyingKey::new(row(alg), &public, Switches::NONE).unwrap();
        let read = Verifier::new(&[row(alg)]).unwrap().verify(&token, &verifying).unwrap();
        assert_eq!(read.header.kid(), Some(key.kid()));
    }
}

/// KR-53 (part): a box of one kid under another, and a bit flipped anywhere, opens nothing.
#[test]
fn a_box_opens_in_its_place_alone() {
    let keeper = keeper();
    let (key, sealed, public) = made(&keeper, "ES256");
    let right = place("ES256", key.kid());
    let open = |place: &Place<'_>, sealed: &SealedBox| {
        OpenKey::open(&keeper, place, row("ES256"), sealed, public.as_ref()).map(drop)
    };
    open(&right, &sealed).unwrap();
    for other in [
        Place { owner: "ring-key/public/r/2", ..right },
        Place { ring: "public/s", ..right },
        Place { alg: "ES384", ..right },
        Place { n: 2, ..right },
        Place { kid: "d-other", ..right },
        Place { signer: "pkcs11", ..right },
    ] {
        assert!(matches!(open(&other, &sealed), Err(Error::Unopenable { .. })), "{other:?}");
    }
    for bit in 0..sealed.octets.len() * 8 {
        let mut altered = sealed.clone();
        altered.octets[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&right, &altered).is_err(), "bit {bit}");
    }
    let nonce = SealedBox { nonce: vec![0; 12], ..sealed.clone() };
    let cipher = SealedBox { aead: "A256GCM".to_owned(), ..sealed.clone() };
    let kek = SealedBox { kek_id: "other".to_owned(), ..sealed };
    for altered in [nonce, cipher, kek] {
        assert!(open(&right, &altered).is_err());
    }
}

/// A key whose row shows another public half is set aside.
#[test]
fn a_key_of_another_row_is_refused() {
    let keeper = keeper();
    let (key, sealed, _) = made(&keeper, "ES256");
    let (_, _, stranger) = made(&keeper, "ES256");
    let opened = OpenKey::open(&keeper, &place("ES256", key.kid()), row("ES256"), &sealed, stranger.as_ref());
    assert!(matches!(opened, Err(Error::KeyRefused { .. })));
    let none = OpenKey::open(&keeper, &place("ES256", key.kid()), row("ES256"), &sealed, None);
    assert!(matches!(none, Err(Error::KeyRefused { .. })));
}

/// KR-26 (part): 31 octets are refused for HS256, 32 pass; the kid is random and the thumbprint is the secret's own.
#[test]
fn a_shared_secret_is_long_enough_or_refused() {
    let keeper = keeper();
    let secret = |octets: usize| PrivateJwk::from_secret(&vec![b'x'; octets], SecretForm::AsIs).unwrap();
    let import_with = |octets, switches| RingKey::import(&keeper, row("HS256"), secret(octets), "", switches);
    let import = |octets| import_with(octets, Switches::NONE).map(|(key, _)| key);
    assert!(matches!(import(31), Err(Error::KeyRefused { .. })));
    let weak = Switches::NONE.with(Switch::WeakHmac);
    assert_eq!(import_with(31, weak).unwrap().1, weak, "the switch acted");
    assert_eq!(import_with(32, weak).unwrap().1, Switches::NONE, "it was not needed");
    let (first, again) = (import(32).unwrap(), import(32).unwrap());
    assert_eq!(first.public_jwk(), None);
    assert_ne!(first.kid(), again.kid());
    assert_eq!(first.thumbprint(), again.thumbprint(), "the same secret twice is told");
    let sealed = first.seal(&keeper, &place("HS256", first.kid())).unwrap().unwrap();
    OpenKey::open(&keeper, &place("HS256", first.kid()), row("HS256"), &sealed, None).unwrap();
}

#[test]
fn an_imported_key_keeps_its_kid_and_comes_out_as_it_went_in() {
    let keeper = keeper();
    let text = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","kid":"mine"}"#;
    let import = |alg: &str| {
        let Jwk::Private(private) = Jwk::parse(text).unwrap() else { panic!("a public key") };
        RingKey::import(&keeper, row(alg), private, "s-", Switches::NONE).map(|(key, _)| key)
    };
    let key = import("EdDSA").unwrap();
    assert_eq!(key.kid(), "mine");
    let sealed = key.seal(&keeper, &place("EdDSA", "mine")).unwrap().unwrap();
    let out = export(&keeper, &place("EdDSA", "mine"), &sealed).unwrap();
    let out = String::from_utf8(out.expose().to_vec()).unwrap();
    assert!(out.contains("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), "{out}");
    assert!(matches!(import("ES256"), Err(Error::KeyRefused { .. })));
}
