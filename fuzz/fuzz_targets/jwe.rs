//! Compact, flattened and general JWE, under keys that the enemy does not have.

#![no_main]

use std::sync::LazyLock;

use jose::{
    DecryptionKey, KeyKind, PrivateJwk, Random, RandomError,
    jwa::{ContentEncryption, EcCurve, KeyAlgorithm, Switch, Switches},
    jwe::{Decrypter, DecryptionKeys},
};
use libfuzzer_sys::fuzz_target;

/// The same octets again and again; nothing here is a secret.
struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(9);
        Ok(())
    }
}

static KEYS: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let switches = Switch::ALL.into_iter().fold(Switches::NONE, Switches::with);
    let kinds = [KeyKind::Oct(16), KeyKind::Oct(32), KeyKind::Ec(EcCurve::P256)];
    let jwks = kinds.map(|kind| PrivateJwk::generate(kind, &mut Fixed).expect("a key is drawn"));
    let bind = |row| jwks.iter().filter_map(move |jwk| DecryptionKey::new(row, jwk, switches).ok());
    KeyAlgorithm::ALL.iter().flat_map(bind).collect()
});

fuzz_target!(|token: &str| {
    let rows: Vec<_> = KeyAlgorithm::ALL.iter().collect();
    let encs: Vec<_> = ContentEncryption::ALL.iter().collect();
    let reader = Decrypter::new(&rows, &encs).expect("the lists are not empty").allowing_zip();
    let _ = reader.decrypt(token, DecryptionKeys::Set(&KEYS), &mut Fixed);
    let _ = reader.decrypt_json(token, DecryptionKeys::Set(&KEYS), &mut Fixed);
});
