//! Templates in every field of an orchestration flow that takes one.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| chancery_fuzz::orchestration::template(input));
