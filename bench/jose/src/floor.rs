//! The floor: the bare primitives of the backend over the same octets, from ready keys, and nothing else.

use std::hint::black_box;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, ParsedPublicKey, UnparsedPublicKey},
    cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
    digest, hmac,
    iv::FixedLength,
    key_wrap::{AES_128 as KEK_128, AES_256 as KEK_256, AesBlockCipher, AesKek, KeyWrap},
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaEncoding},
};
use jose::{KeyForm, Random, base64url};

use crate::{
    claims,
    keys::{Keys, OCTETS, Pool},
    measure::Work,
};

/// As long as the encoded headers are.
const HEADER: [u8; 48] = [b'h'; 48];

pub(crate) fn hmac() -> Work {
    let (key, input) = (hmac::Key::new(hmac::HMAC_SHA256, &OCTETS), input("HS256"));
    Box::new(move || {
        black_box(hmac::sign(&key, black_box(&input)));
    })
}

pub(crate) fn signature(name: &str, keys: &Keys) -> Work {
    let der = keys.of(name).to_der(KeyForm::Pkcs8).expect("the key has a PKCS#8 form");
    let (input, random) = (input(name), SystemRandom::new());
    if let Some(encoding) = rsa_encoding(name) {
        let key = rsa::KeyPair::from_pkcs8(&der).expect("the key is read");
        let mut out = vec![0; key.public_modulus_len()];
        return Box::new(move || key.sign(encoding, &random, black_box(&input), &mut out).expect("it signs"));
    }
    if name == "EdDSA" {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("the key is read");
        return Box::new(move || {
            black_box(key.sign(black_box(&input)));
        });
    }
    let algorithm = if name == "ES256" {
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING
    } else {
        &signature::ECDSA_P384_SHA384_FIXED_SIGNING
    };
    let key = EcdsaKeyPair::from_pkcs8(algorithm, &der).expect("the key is read");
    Box::new(move || {
        black_box(key.sign(&random, black_box(&input)).expect("it signs"));
    })
}

/// AES-128-CBC and HMAC-SHA-256 over the same octets; with `kek`, fresh keys each time and the wrap of them.
pub(crate) fn cbc(kek: Option<&'static [u8]>) -> Work {
    let (payload, mut pool) = (claims::text(), Pool::default());
    let fixed = cbc_keys(&OCTETS);
    Box::new(move || {
        let fresh = kek.map(|kek| {
            let mut cek = [0; 32];
            pool.fill(&mut cek).expect("it draws");
            wrap(&KEK_128, kek, &cek);
            cbc_keys(&cek)
        });
        let (mac, aes) = fresh.as_ref().unwrap_or(&fixed);
        let mut iv = [0; 16];
        pool.fill(&mut iv).expect("it draws");
        let mut text = payload.clone();
        text.resize(payload.len().next_multiple_of(16), 1);
        aes.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(&iv))).expect("it encrypts");
        let mut context = hmac::Context::with_key(mac);
        for part in [&HEADER[..], &iv, &text, &[0; 8]] {
            context.update(part);
        }
        black_box(context.sign());
    })
}

/// A fresh key for AES-256-GCM, wrapped with AES-256, and the text.
pub(crate) fn gcm_wrapped() -> Work {
    let (payload, mut pool) = (claims::text(), Pool::default());
    Box::new(move || {
        gcm(&payload, &mut pool, |cek| wrap(&KEK_256, &OCTETS, cek));
    })
}

/// The same with RSA-OAEP-256.
pub(crate) fn gcm_rsa(keys: &Keys) -> Work {
    let (payload, mut pool, mut encrypt) = (claims::text(), Pool::default(), oaep(keys));
    Box::new(move || gcm(&payload, &mut pool, &mut encrypt))
}

/// The same with ECDH-ES on P-256 and AES-128 Key Wrap.
pub(crate) fn gcm_agreed(keys: &Keys) -> Work {
    let spki = keys.of("ECDH-ES+A128KW").public().expect("the key has a public half").to_der(KeyForm::Spki);
    let spki = spki.expect("the key has an SPKI form");
    // It ends with the point.
    let peer = spki[spki.len() - 65..].to_vec();
    let peer = ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, peer)).expect("the key is read");
    let (payload, mut pool) = (claims::text(), Pool::default());
    Box::new(move || {
        gcm(&payload, &mut pool, |cek| {
            let own = agreement::PrivateKey::generate(&ECDH_P256).expect("it draws");
            black_box(own.compute_public_key().expect("it has a public half"));
            let kek = agreement::agree(&own, peer.clone(), (), |secret| Ok(digest::digest(&digest::SHA256, secret)));
            wrap(&KEK_128, &kek.expect("it agrees").as_ref()[..16], cek);
        });
    })
}

/// RS256, and the same text again in AES-256-GCM with RSA-OAEP-256.
pub(crate) fn nested(keys: &Keys) -> Work {
    let (mut sign, mut encrypt, mut pool) = (signature("RS256", keys), oaep(keys), Pool::default());
    let token = vec![b't'; input("RS256").len() + 1 + base64url::encoded_len(256)];
    Box::new(move || {
        sign();
        gcm(&token, &mut pool, &mut encrypt);
    })
}

/// What is signed: header, dot, payload, both encoded.
fn input(name: &str) -> Vec<u8> {
    let header = base64url::encode(format!(r#"{{"alg":"{name}","typ":"JWT"}}"#).as_bytes());
    [header.as_bytes(), b".", base64url::encode(&claims::text()).as_bytes()].concat()
}

fn rsa_encoding(name: &str) -> Option<&'static dyn RsaEncoding> {
    match name {
        "RS256" => Some(&signature::RSA_PKCS1_SHA256),
        "PS256" => Some(&signature::RSA_PSS_SHA256),
        _ => None,
    }
}

fn cbc_keys(cek: &[u8]) -> (hmac::Key, EncryptingKey) {
    let (mac, aes) = cek.split_at(16);
    let aes = UnboundCipherKey::new(&AES_128, aes).expect("16 octets are a key");
    (hmac::Key::new(hmac::HMAC_SHA256, mac), EncryptingKey::cbc(aes).expect("CBC takes the key"))
}

fn gcm(payload: &[u8], pool: &mut Pool, encrypt_key: impl FnOnce(&[u8])) {
    let (mut cek, mut iv) = ([0; 32], [0; 12]);
    pool.fill(&mut cek).expect("it draws");
    pool.fill(&mut iv).expect("it draws");
    encrypt_key(&cek);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &cek).expect("32 octets are a key"));
    let (mut text, nonce) = (payload.to_vec(), Nonce::assume_unique_for_key(iv));
    let _ = black_box(key.seal_in_place_separate_tag(nonce, Aad::from(HEADER), &mut text).expect("it encrypts"));
}

fn wrap(cipher: &'static AesBlockCipher, kek: &[u8], cek: &[u8]) {
    let mut wrapped = [0; 40];
    let kek = AesKek::new(cipher, kek).expect("the key has the size of the cipher");
    black_box(kek.wrap(cek, &mut wrapped).expect("it wraps"));
}

fn oaep(keys: &Keys) -> impl FnMut(&[u8]) + 'static {
    let public = keys.of("RSA-OAEP-256").public().expect("the key has a public half").to_der(KeyForm::Spki);
    let key = rsa::PublicEncryptingKey::from_der(&public.expect("the key has an SPKI form")).expect("the key is read");
    let key = rsa::OaepPublicEncryptingKey::new(key).expect("OAEP takes the key");
    let mut out = vec![0; key.ciphertext_size()];
    move |cek| {
        black_box(key.encrypt(&rsa::OAEP_SHA256_MGF1SHA256, cek, &mut out, None).expect("it encrypts"));
    }
}
