//! `josekit`, over OpenSSL.

use std::hint::black_box;

use josekit::{
    jwk::Jwk,
    jwe::{self, JweEncrypter, JweHeader},
    jws::{self, JwsHeader, JwsSigner},
    jwt::{self, JwtPayload},
};

use crate::{
    claims,
    keys::{Keys, OCTETS},
    measure::Work,
};

pub(crate) fn signed(name: &str, keys: &Keys) -> Option<Work> {
    let (signer, header, payload) = (signer(name, keys)?, jws_header(), payload());
    Some(Box::new(move || {
        black_box(jwt::encode_with_signer(black_box(&payload), &header, &*signer).expect("it signs"));
    }))
}

pub(crate) fn encrypted(alg: &str, enc: &str, keys: &Keys) -> Option<Work> {
    let (encrypter, header, payload) = (encrypter(alg, keys)?, jwe_header(enc), payload());
    Some(Box::new(move || {
        black_box(jwt::encode_with_encrypter(black_box(&payload), &header, &*encrypter).expect("it encrypts"));
    }))
}

pub(crate) fn nested(keys: &Keys) -> Option<Work> {
    let (signer, encrypter) = (signer("RS256", keys)?, encrypter("RSA-OAEP-256", keys)?);
    let (inner_header, mut header, payload) = (jws_header(), jwe_header("A256GCM"), payload());
    header.set_content_type("JWT");
    Some(Box::new(move || {
        let inner = jwt::encode_with_signer(black_box(&payload), &inner_header, &*signer).expect("it signs");
        black_box(jwe::serialize_compact(inner.as_bytes(), &header, &*encrypter).expect("it encrypts"));
    }))
}

fn signer(name: &str, keys: &Keys) -> Option<Box<dyn JwsSigner>> {
    let pem = || keys.private_pem(name);
    Some(match name {
        "HS256" => Box::new(jws::HS256.signer_from_bytes(OCTETS).expect("the key is read")),
        "RS256" => Box::new(jws::RS256.signer_from_pem(pem()).expect("the key is read")),
        // From a PEM it wants a key of RSASSA-PSS alone.
        "PS256" => Box::new(jws::PS256.signer_from_jwk(&jwk(name, keys)).expect("the key is read")),
        "ES256" => Box::new(jws::ES256.signer_from_pem(pem()).expect("the key is read")),
        "ES384" => Box::new(jws::ES384.signer_from_pem(pem()).expect("the key is read")),
        "EdDSA" => Box::new(jws::EdDSA.signer_from_pem(pem()).expect("the key is read")),
        _ => return None,
    })
}

fn encrypter(alg: &str, keys: &Keys) -> Option<Box<dyn JweEncrypter>> {
    let pem = || keys.public_pem(alg);
    Some(match alg {
        "dir" => Box::new(jwe::Dir.encrypter_from_bytes(OCTETS).expect("the key is read")),
        "A128KW" => Box::new(jwe::A128KW.encrypter_from_bytes(&OCTETS[..16]).expect("the key is read")),
        "A256KW" => Box::new(jwe::A256KW.encrypter_from_bytes(OCTETS).expect("the key is read")),
        "RSA-OAEP-256" => Box::new(jwe::RSA_OAEP_256.encrypter_from_pem(pem()).expect("the key is read")),
        "ECDH-ES+A128KW" => Box::new(jwe::ECDH_ES_A128KW.encrypter_from_pem(pem()).expect("the key is read")),
        _ => return None,
    })
}

fn jwk(name: &str, keys: &Keys) -> Jwk {
    let mut text = Vec::new();
    keys.of(name).write_private(&mut text);
    Jwk::from_bytes(&text).expect("the key is read")
}

fn jws_header() -> JwsHeader {
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    header
}

fn jwe_header(enc: &str) -> JweHeader {
    let mut header = JweHeader::new();
    header.set_token_type("JWT");
    header.set_content_encryption(enc);
    header
}

fn payload() -> JwtPayload {
    JwtPayload::from_map(claims::object()).expect("the claims are taken")
}
