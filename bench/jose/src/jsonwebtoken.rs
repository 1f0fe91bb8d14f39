//! `jsonwebtoken`: signed tokens alone.

use std::hint::black_box;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use crate::{
    claims,
    keys::{Keys, OCTETS},
    measure::Work,
};

pub(crate) fn signed(name: &str, keys: &Keys) -> Option<Work> {
    let (algorithm, key) = match name {
        "HS256" => (Algorithm::HS256, Ok(EncodingKey::from_secret(&OCTETS))),
        "RS256" => (Algorithm::RS256, EncodingKey::from_rsa_pem(keys.private_pem(name).as_bytes())),
        "PS256" => (Algorithm::PS256, EncodingKey::from_rsa_pem(keys.private_pem(name).as_bytes())),
        "ES256" => (Algorithm::ES256, EncodingKey::from_ec_pem(keys.private_pem(name).as_bytes())),
        "ES384" => (Algorithm::ES384, EncodingKey::from_ec_pem(keys.private_pem(name).as_bytes())),
        "EdDSA" => (Algorithm::EdDSA, EncodingKey::from_ed_pem(keys.private_pem(name).as_bytes())),
        _ => return None,
    };
    let (header, claims, key) = (Header::new(algorithm), claims::object(), key.expect("the key is read"));
    Some(Box::new(move || {
        black_box(encode(&header, black_box(&claims), &key).expect("it signs"));
    }))
}
