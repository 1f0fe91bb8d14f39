//! API definitions.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| chancery_fuzz::api_connect::definition(input));
