//! `jwt-simple`, built of Rust alone. It takes its claims away, so that each token has a copy made.

use std::hint::black_box;

use jwt_simple::prelude::*;

use crate::{
    claims,
    keys::{Keys, OCTETS},
    measure::Work,
};

type Claims = JWTClaims<serde_json::Map<String, serde_json::Value>>;

pub(crate) fn signed(name: &str, keys: &Keys) -> Option<Work> {
    let pem = || keys.private_pem(name);
    Some(match name {
        "HS256" => work(HS256Key::from_bytes(&OCTETS), |key, claims| key.authenticate(claims)),
        "RS256" => work(RS256KeyPair::from_pem(&pem()).expect("the key is read"), |key, claims| key.sign(claims)),
        "PS256" => work(PS256KeyPair::from_pem(&pem()).expect("the key is read"), |key, claims| key.sign(claims)),
        "ES256" => work(ES256KeyPair::from_pem(&pem()).expect("the key is read"), |key, claims| key.sign(claims)),
        "ES384" => work(ES384KeyPair::from_pem(&pem()).expect("the key is read"), |key, claims| key.sign(claims)),
        "EdDSA" => work(ed25519(&pem()), |key, claims| key.sign(claims)),
        _ => return None,
    })
}

/// With A256GCM. Its RSA-OAEP is the one with SHA-1, which costs no more.
pub(crate) fn encrypted(alg: &str, keys: &Keys) -> Option<Work> {
    let pem = || keys.public_pem(alg);
    Some(match alg {
        "A256KW" => work(A256KWKey::from_bytes(&OCTETS).expect("the key is read"), |key, claims| key.encrypt(claims)),
        "RSA-OAEP-256" => {
            work(RsaOaepEncryptionKey::from_pem(&pem()).expect("the key is read"), |key, claims| key.encrypt(claims))
        }
        "ECDH-ES+A128KW" => {
            let key = EcdhEsA128KWEncryptionKey::from_pem(&pem()).expect("the key is read");
            work(key, |key, claims| key.encrypt(claims))
        }
        _ => return None,
    })
}

fn work<K: 'static>(key: K, mint: fn(&K, Claims) -> Result<String, jwt_simple::Error>) -> Work {
    // The times of the library stand in the place of ours.
    let mut custom = claims::object();
    for name in ["iat", "exp"] {
        custom.shift_remove(name);
    }
    let claims: Claims = jwt_simple::claims::Claims::with_custom_claims(custom, Duration::from_hours(1));
    Box::new(move || {
        black_box(mint(&key, black_box(claims.clone())).expect("it mints"));
    })
}

/// It wants both halves in the DER, which PKCS#8 of the first version has not.
fn ed25519(pem: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_pem(pem).expect("the key is read")
}
