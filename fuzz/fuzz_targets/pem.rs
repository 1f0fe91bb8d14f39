//! PEM, DER, encrypted PKCS#8 and PKCS#12.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| chancery_fuzz::tokens::pem(input));
