//! Compact, flattened, general and detached JWS, under a key that the enemy does not have.

#![no_main]

use std::sync::LazyLock;

use jose::{
    PrivateJwk, VerifyingKey,
    jwa::{SignatureAlgorithm, Switches},
    jws::{Quorum, Verifier},
    jwt::{NumericDate, Policy},
    peek,
};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<VerifyingKey> = LazyLock::new(|| {
    let jwk = PrivateJwk::from_octets(&[7; 32]).expect("32 octets are a key");
    let row = SignatureAlgorithm::by_name("HS256").expect("HS256 is a row");
    VerifyingKey::from_private(row, &jwk, Switches::NONE).ok().expect("the key fits")
});

fuzz_target!(|token: &str| {
    let rows: Vec<_> = SignatureAlgorithm::ALL.iter().collect();
    let reader = Verifier::new(&rows).expect("the list is not empty").understanding("urn:x");
    let _ = peek(token);
    assert!(reader.verify(token, &*KEY).is_err());
    assert!(reader.verify_detached(token, b"payload", &*KEY).is_err());
    if let Ok(report) = reader.verify_json(token, &*KEY) {
        assert!(report.payload(Quorum::Any).is_err());
    }
    let _ = Policy::default().validate(None, token.as_bytes(), NumericDate::from_secs(0));
    let _ = NumericDate::parse(token);
});
