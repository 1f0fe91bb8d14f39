//! Documents of orchestration flows.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| chancery_fuzz::orchestration::flow(input));
