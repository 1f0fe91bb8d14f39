//! `keys rotate`: the standby of a ring signs as soon as caches allow.

use std::path::Path;

use http::Method;
use serde_json::json;
use server::routes::rings;

use super::super::rings::{Ask, path};
use super::said;
use crate::args::rings::RotateArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &RotateArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (id, reason) = (arguments.ring.id(), arguments.reason.as_str());
    let offline = |rings: &_, by: &_| rings::rotate(rings, &id, reason, by);
    let (method, path) = (Method::POST, path(&arguments.ring, "rotate"));
    let done = Ask { method, path, body: json!({ "reason": reason }), offline, folder }.answer()?;
    if let Some(n) = done["hastened"]["n"].as_u64() {
        let from = done["hastened"]["signs_from"].as_str().unwrap_or_default();
        let leaves = done["hastened"]["old_leaves_at"].as_str().unwrap_or("never by itself");
        voice.say(format!("generation {n} signs from {from}; the one before it is published until {leaves}"));
    }
    for reader in done["readers_behind"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
        voice.warn(format!("{reader} has not read the next secret yet: until it does, it refuses tokens of it"));
    }
    said(&done, voice)
}
