//! A JWK or JWK Set that is read is written and read again as the same.

#![no_main]

use jose::jwk::{Jwk, JwkSet, PublicJwk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
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
});
