//! What is decoded is encoded to the same text.

#![no_main]

use jose::base64url::{decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(octets) = decode(input) {
        assert_eq!(encode(&octets).as_bytes(), input);
    }
});
