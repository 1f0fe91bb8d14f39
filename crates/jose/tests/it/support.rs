//! The one helper that knows the API: keys, vectors, a recorded source of randomness, tokens by hand.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use jose::{
    Error, KeyKind, PrivateJwk, Random, RandomError, RsaBits, SigningKey, VerifyingKey, base64url,
    json::{Limits, Object, Value},
    jwa::{SignatureAlgorithm, Switch, Switches},
    jwk::{Jwk, PublicJwk},
    jws::{HeaderPlan, ProtectedHeader, Verified, Verifier},
};

/// Every switch on.
pub(crate) fn all_switches() -> Switches {
    Switch::ALL.into_iter().fold(Switches::NONE, Switches::with)
}

pub(crate) fn row(name: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(name).unwrap()
}

/// The system's randomness.
pub(crate) struct System;

impl Random for System {
    #[allow(clippy::disallowed_methods, reason = "a test may draw")]
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        SystemRandom::new().fill(out).map_err(|_| RandomError)
    }
}

/// Octets that are the same in every run: a counter through SHA-256 would do, a linear generator does too.
pub(crate) struct Recorded(pub(crate) u64);

impl Random for Recorded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

/// A source that always fails.
pub(crate) struct Broken;

impl Random for Broken {
    fn fill(&mut self, _out: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

pub(crate) fn object(json: &str) -> Object {
    let value = Value::parse(json.as_bytes(), Limits::DOCUMENT).unwrap();
    value.as_object().unwrap_or_else(|| panic!("no object: {json}")).clone()
}

/// The objects of a file of vectors.
pub(crate) fn vectors(json: &str) -> Vec<Object> {
    let Value::Array(list) = Value::parse(json.as_bytes(), Limits::DOCUMENT).unwrap() else { panic!("no array") };
    list.into_iter().map(|value| value.as_object().unwrap().clone()).collect()
}

pub(crate) fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_text).unwrap_or_else(|| panic!("no `{name}`"))
}

pub(crate) fn octets(object: &Object, name: &str) -> Vec<u8> {
    base64url::decode(text(object, name)).unwrap()
}

pub(crate) fn json_of(value: &Value) -> String {
    let mut out = Vec::new();
    jose::json::write_value(&mut out, value);
    String::from_utf8(out).unwrap()
}

/// The private key of a JWK.
pub(crate) fn private(json: &str) -> PrivateJwk {
    match Jwk::parse(json.as_bytes()).unwrap() {
        Jwk::Private(jwk) => jwk,
        Jwk::Public(_) => panic!("public"),
    }
}

pub(crate) fn private_json(jwk: &PrivateJwk) -> String {
    let mut out = Vec::new();
    jwk.write_private(&mut out);
    String::from_utf8(out).unwrap()
}

/// A new key for an algorithm; RSA keys are one and the same, since they take long to find.
pub(crate) fn key_for(algorithm: &SignatureAlgorithm) -> PrivateJwk {
    let kind = KeyKind::for_signature(algorithm);
    if matches!(kind, KeyKind::Rsa(_)) {
        return private(&rsa_2048());
    }
    PrivateJwk::generate(kind, &mut System).unwrap()
}

/// The RSA key of RFC 7515 appendix A.2.
pub(crate) fn rsa_2048() -> String {
    let vectors = vectors(include_str!("../vectors/rfc7515.json"));
    json_of(vectors[1].get("jwk").unwrap())
}

pub(crate) fn new_rsa(bits: RsaBits) -> PrivateJwk {
    PrivateJwk::generate(KeyKind::Rsa(bits), &mut System).unwrap()
}

pub(crate) fn signer(name: &str, jwk: &PrivateJwk) -> SigningKey {
    SigningKey::new(row(name), jwk, all_switches()).unwrap()
}

pub(crate) fn verifier(name: &str, jwk: &PrivateJwk) -> VerifyingKey {
    VerifyingKey::from_private(row(name), jwk, all_switches()).unwrap()
}

pub(crate) fn public_verifier(name: &str, jwk: &PublicJwk) -> Result<VerifyingKey, Error> {
    VerifyingKey::new(row(name), jwk, all_switches())
}

/// A token under the usual header.
pub(crate) fn signed(key: &SigningKey, payload: &[u8]) -> String {
    let header = ProtectedHeader::encode(&HeaderPlan::jwt(), key.algorithm(), key.kid(), key.public()).unwrap();
    let mut out = Vec::new();
    key.sign_compact(&header, payload, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A token whose header is written by hand, signed as it stands.
pub(crate) fn signed_by_hand(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload));
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

/// Verifies with one key and a list of one row.
pub(crate) fn verified(token: &str, key: &VerifyingKey) -> Result<Verified, Error> {
    Verifier::new(&[key.algorithm()]).unwrap().verify(token, key)
}

/// The code of a refusal.
pub(crate) fn code<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.err().map_or("accepted", |error| error.code())
}
