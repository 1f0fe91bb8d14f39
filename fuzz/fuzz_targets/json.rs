//! What is read as JSON is written and read again as the same.

#![no_main]

use jose::json::{Limits, Value, write_value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(value) = Value::parse(input, Limits::REQUEST) else { return };
    let mut written = Vec::new();
    write_value(&mut written, &value);
    assert_eq!(Value::parse(&written, Limits::REQUEST), Ok(value));
});
