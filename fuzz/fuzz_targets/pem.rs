//! PEM, DER, encrypted PKCS#8 and PKCS#12.

#![no_main]

use jose::{KeyForm, jwk::Jwk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Jwk::from_pem(input);
    let _ = Jwk::import_encrypted(input, "passphrase");
    if let Ok(jwk) = Jwk::from_der(input)
        && let Some(public) = jwk.public()
    {
        let written = public.to_der(KeyForm::Spki).expect("every public key has an SPKI form");
        let read = Jwk::from_der(&written).expect("what is written is read");
        assert_eq!(read.public().map(|again| again.key.clone()).as_ref(), Some(&public.key));
    }
});
