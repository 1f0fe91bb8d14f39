//! What must hold of whatever an API definition says.
//!
//! The fuzzer calls this from its target; `crates/server/tests/fuzz_replay.rs` calls it in every test run.

use std::collections::BTreeMap;

use dialects::api_connect::{self, LowerSettings, Lowered};
use plan::validate;

/// A definition is refused, or lowered to a valid flow. Without its keys it is still the same definition and has none left, and
/// so is what goes out to its vendor.
pub fn definition(input: &[u8]) {
    let _ = dialects::detect(input);
    let Some(lowered) = lower(input) else { return };
    let dumped = plan::dump(&validate(lowered.flow).expect("what is lowered is valid"));
    assert_eq!(lowered.kept.is_none(), lowered.secrets.is_empty(), "a document with secrets is kept without them");
    let kept = lowered.kept.as_deref().unwrap_or(input);
    let again = lower(kept).expect("a definition without its keys is a definition");
    assert!(again.secrets.is_empty() && again.kept.is_none(), "nothing is left to take out");
    // Written anew as JSON, a number of YAML may be spelt otherwise.
    if !kept.starts_with(b"{") {
        assert_eq!(plan::dump(&again.flow), dumped, "and runs the same");
    }
    let portable = api_connect::portable(kept).expect("what can be lowered can be read");
    let twice = api_connect::portable(&portable.octets).expect("what goes out can be read");
    assert!(twice.left_out.is_empty() && twice.sealed == portable.sealed, "what goes out is portable");
}

fn lower(document: &[u8]) -> Option<Lowered> {
    let properties = BTreeMap::from([("given".to_owned(), "for this run".to_owned())]);
    let crypto = ["bound-*".to_owned()];
    let settings = LowerSettings {
        catalog: "sandbox",
        host: "localhost",
        properties: &properties,
        crypto: &crypto,
        allow_unsigned: true,
        strict: false,
    };
    api_connect::lower("fuzz", document, &settings).ok()
}
