//! Compact, flattened, general and detached JWS.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| chancery_fuzz::tokens::jws(input));
