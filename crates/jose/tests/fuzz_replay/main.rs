//! The seeds of the fuzz targets, and inputs made from them by small changes, in every test run: no panic, no input
//! that takes long, none that takes more memory than its size deserves.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "this test reads the seeds")]

mod allocations;
#[path = "../../../../fuzz/src/replay.rs"]
mod replay;
#[allow(unreachable_pub, reason = "the fuzzer's crate offers the same file to its targets")]
#[path = "../../../../fuzz/src/tokens.rs"]
mod tokens;

use std::path::Path;

use rustix::time::{ClockId, clock_gettime};

/// Processor time of one input. The fuzzer allows as much; a test is not optimised, but its inputs are small.
const SECS_MAX: f64 = 1.0;
/// What a reader may hold for the octets of its input: a JSON value a character is the worst.
const OCTETS_HELD_FOR_EACH_MAX: usize = 256;
/// And for any input: what a message of an error or a decoded key takes.
const OCTETS_HELD_MAX: usize = 1 << 16;

fn replay(target: &str, check: impl Fn(&[u8])) {
    let inputs = replay::inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target));
    // What is made once must not count for the first input.
    check(&inputs[0]);
    for input in &inputs {
        let start = processor_secs();
        let held = allocations::most_held(|| check(input));
        let (secs, shown) = (processor_secs() - start, String::from_utf8_lossy(input));
        assert!(secs < SECS_MAX, "{secs} s for {shown}");
        let max = OCTETS_HELD_MAX + OCTETS_HELD_FOR_EACH_MAX * input.len();
        assert!(held <= max, "{held} octets for {} of {shown}", input.len());
    }
}

/// This thread's, so that a busy machine counts little.
fn processor_secs() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn text(check: fn(&str)) -> impl Fn(&[u8]) {
    move |input| check(&String::from_utf8_lossy(input))
}

/// JO-64 (part)
#[test]
fn json() {
    replay("json", tokens::json);
}

/// JO-64 (part)
#[test]
fn base64url() {
    replay("base64url", tokens::base64url);
}

/// JO-64 (part)
#[test]
fn jwk() {
    replay("jwk", tokens::jwk);
}

/// JO-64 (part)
#[test]
fn pem() {
    replay("pem", tokens::pem);
}

/// JO-64 (part)
#[test]
fn jws() {
    replay("jws", text(tokens::jws));
}

/// JO-64 (part)
#[test]
fn jwe() {
    replay("jwe", text(tokens::jwe));
}

/// A watch that sees nothing would prove nothing.
#[test]
fn the_watch_sees_what_is_held() {
    let held = allocations::most_held(|| {
        drop(vec![1_u8; 3_000]);
        drop(vec![1_u8; 2_000]);
    });
    assert!((3_000..5_000).contains(&held), "{held}");
}
