//! What must hold of whatever a JSON text, a key or a token says.
//!
//! The fuzzer calls these functions from its targets; `crates/jose/tests/fuzz_replay` calls them in every test run.

use std::sync::LazyLock;

use jose::{
    DecryptionKey, KeyForm, KeyKind, PrivateJwk, Random, RandomError, VerifyingKey, base64url,
    json::{Limits, Value, write_value},
    jwa::{ContentEncryption, EcCurve, KeyAlgorithm, OkpCurve, SignatureAlgorithm, Switch, Switches},
    jwe::{Decrypter, DecryptionKeys},
    jwk::{Jwk, JwkSet, PublicJwk},
    jws::{Keys, Quorum, Verifier},
    jwt::{NumericDate, Policy},
    peek,
};

/// What is read as JSON is written and read again as the same.
pub fn json(input: &[u8]) {
    let Ok(value) = Value::parse(input, Limits::REQUEST) else { return };
    let mut written = Vec::new();
    write_value(&mut written, &value);
    assert_eq!(Value::parse(&written, Limits::REQUEST), Ok(value));
}

/// What is decoded is encoded to the same text.
pub fn base64url(input: &[u8]) {
    if let Ok(octets) = base64url::decode(input) {
        assert_eq!(base64url::encode(&octets).as_bytes(), input);
    }
}

/// A JWK or JWK Set that is read is written and read again as the same.
pub fn jwk(input: &[u8]) {
    if let Ok(jwk) = Jwk::parse(input)
        && let Some(public) = jwk.public()
    {
        assert_eq!(PublicJwk::parse(public.to_json().as_bytes()).as_ref(), Ok(&*public));
    }
    if let Ok(set) = JwkSet::parse(input) {
        let mut written = Vec::new();
        set.write(&mut written);
        assert_eq!(JwkSet::parse(&written).map(|set| set.keys), Ok(set.keys));
    }
}

/// PEM, DER, encrypted PKCS#8 and PKCS#12; what DER is read has the same public key in SPKI.
pub fn pem(input: &[u8]) {
    let _ = Jwk::from_pem(input);
    let _ = Jwk::import_encrypted(input, "passphrase");
    if let Ok(jwk) = Jwk::from_der(input)
        && let Some(public) = jwk.public()
    {
        let written = public.to_der(KeyForm::Spki).expect("every public key has an SPKI form");
        let read = Jwk::from_der(&written).expect("what is written is read");
        assert_eq!(read.public().map(|again| again.key.clone()).as_ref(), Some(&public.key));
    }
}

/// Compact, flattened, general and detached JWS: none holds under a key that its writer does not have.
pub fn jws(token: &str) {
    let rows: Vec<_> = SignatureAlgorithm::ALL.iter().collect();
    let reader = Verifier::new(&rows).expect("the list is not empty").understanding("urn:x");
    let _ = peek(token);
    assert!(reader.verify(token, Keys::Set(&VERIFYING)).is_err());
    for key in &*VERIFYING {
        assert!(reader.verify(token, key).is_err());
        assert!(reader.verify_detached(token, b"payload", key).is_err());
        if let Ok(report) = reader.verify_json(token, key) {
            assert!(report.payload(Quorum::Any).is_err());
        }
    }
    let _ = Policy::default().validate(None, token.as_bytes(), NumericDate::from_secs(0));
    let _ = NumericDate::parse(token);
}

/// Compact, flattened and general JWE: none opens under keys that its writer does not have.
pub fn jwe(token: &str) {
    let rows: Vec<_> = KeyAlgorithm::ALL.iter().collect();
    let encs: Vec<_> = ContentEncryption::ALL.iter().collect();
    let reader = Decrypter::new(&rows, &encs).expect("the lists are not empty").allowing_zip();
    assert!(reader.decrypt(token, DecryptionKeys::Set(&DECRYPTING), &mut Fixed).is_err());
    assert!(reader.decrypt_json(token, DecryptionKeys::Set(&DECRYPTING), &mut Fixed).is_err());
}

/// The same octets again and again; nothing here is a secret.
struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(9);
        Ok(())
    }
}

fn generated(kind: KeyKind) -> PrivateJwk {
    PrivateJwk::generate(kind, &mut Fixed).expect("a key is drawn")
}

static VERIFYING: LazyLock<Vec<VerifyingKey>> = LazyLock::new(|| {
    let key = |(name, kind)| {
        let row = SignatureAlgorithm::by_name(name).expect("the name is a row's");
        VerifyingKey::from_private(row, &generated(kind), Switches::NONE).expect("the key fits")
    };
    let kinds = [
        ("HS256", KeyKind::Oct(32)),
        ("ES256", KeyKind::Ec(EcCurve::P256)),
        ("EdDSA", KeyKind::Okp(OkpCurve::Ed25519)),
    ];
    kinds.map(key).into()
});

static DECRYPTING: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let switches = Switch::ALL.into_iter().fold(Switches::NONE, Switches::with);
    let kinds = [KeyKind::Oct(16), KeyKind::Oct(32), KeyKind::Ec(EcCurve::P256), KeyKind::Okp(OkpCurve::X25519)];
    let jwks = kinds.map(generated);
    let bind = |row| jwks.iter().filter_map(move |jwk| DecryptionKey::new(row, jwk, switches).ok());
    let secrets = KeyAlgorithm::ALL.iter().flat_map(bind);
    let passwords =
        KeyAlgorithm::ALL.iter().filter_map(|row| DecryptionKey::from_password(row, b"enemy", switches).ok());
    secrets.chain(passwords).collect()
});
