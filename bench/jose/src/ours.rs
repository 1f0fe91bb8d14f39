//! Chancery's own tokens, from ready keys and plans into a buffer that is used again.

use std::{hint::black_box, sync::Arc};

use jose::{
    EncryptionKey, SigningKey,
    jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switches},
    jwe::{EncryptionOptions, EncryptionPlan},
    jws::{HeaderPlan, ProtectedHeader, Template},
};

use crate::{
    claims,
    keys::{Keys, OCTETS, Pool},
    measure::Work,
};

pub(crate) fn by_template() -> Work {
    let jwk = jose::PrivateJwk::from_octets(&OCTETS).expect("the octets are a key");
    let template = template("HS256", &jwk, claims::CONSTANT);
    minting(move |out| template.mint(claims::TAIL, out).expect("it mints"))
}

pub(crate) fn signed(name: &str, keys: &Keys) -> Work {
    let (template, payload) = (template(name, &keys.of(name), b""), claims::text());
    minting(move |out| template.mint(black_box(&payload), out).expect("it mints"))
}

pub(crate) fn encrypted(alg: &str, enc: &str, keys: &Keys) -> Work {
    let (key, plan) = encryption(alg, enc, keys, &HeaderPlan::encrypted());
    let (payload, mut pool) = (claims::text(), Pool::default());
    minting(move |out| plan.encrypt_compact(&key, black_box(&payload), &mut pool, out).expect("it encrypts"))
}

pub(crate) fn nested(keys: &Keys) -> Work {
    let (key, plan) = encryption("RSA-OAEP-256", "A256GCM", keys, &HeaderPlan::nested());
    let (template, payload) = (template("RS256", &keys.of("RS256"), b""), claims::text());
    let (mut inner, mut pool) = (Vec::new(), Pool::default());
    minting(move |out| {
        inner.clear();
        template.mint(black_box(&payload), &mut inner).expect("it mints");
        plan.encrypt_compact(&key, &inner, &mut pool, out).expect("it encrypts");
    })
}

fn minting(mut mint: impl FnMut(&mut Vec<u8>) + 'static) -> Work {
    let mut out = Vec::new();
    Box::new(move || {
        out.clear();
        mint(&mut out);
        black_box(&out);
    })
}

fn template(name: &str, jwk: &jose::PrivateJwk, constant: &[u8]) -> Template {
    let row = SignatureAlgorithm::by_name(name).expect("the name is a row's");
    let key = Arc::new(SigningKey::new(row, jwk, Switches::NONE).expect("the key fits"));
    let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row, None, None).expect("the plan is short");
    Template::new(key, &header, constant).expect("the beginning is short")
}

fn encryption(alg: &str, enc: &str, keys: &Keys, plan: &HeaderPlan) -> (EncryptionKey, EncryptionPlan) {
    let alg_row = KeyAlgorithm::by_name(alg).expect("the name is a row's");
    let enc = ContentEncryption::by_name(enc).expect("the name is a row's");
    let key = EncryptionKey::from_secret(alg_row, &keys.of(alg), Switches::NONE).expect("the key fits");
    let options = EncryptionOptions::default();
    let plan = EncryptionPlan::new(&key, enc, plan, options, Switches::NONE).expect("the plan is short");
    (key, plan)
}
