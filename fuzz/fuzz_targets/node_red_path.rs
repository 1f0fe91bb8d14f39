//! Property paths.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| chancery_fuzz::node_red::path(input));
