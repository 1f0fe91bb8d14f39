//! Compact, flattened and general JWE.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| chancery_fuzz::tokens::jwe(input));
