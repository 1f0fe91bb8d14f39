//! `keys revoke`: a generation is trusted no longer.

use std::path::Path;

use http::Method;
use serde_json::json;
use server::routes::rings;

use super::super::rings::{Ask, path};
use crate::args::rings::RevokeArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &RevokeArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (id, key, reason) = (arguments.ring.id(), arguments.key.as_str(), arguments.reason.as_str());
    let offline = |rings: &_, by: &_| rings::revoke(rings, &id, key, reason, by);
    let (method, path) = (Method::POST, path(&arguments.ring, "revoke"));
    let done = Ask { method, path, body: json!({ "key": key, "reason": reason }), offline, folder }.answer()?;
    if voice.is_json() {
        voice.result(done.to_string())?;
        return Ok(ExitCode::Done);
    }
    if done["revoked"] == false {
        voice.say(format!("{key} of {id} was revoked before"));
        return Ok(ExitCode::Done);
    }
    let secs = &done["accepted_up_to_secs"];
    voice.say(format!("{key} of {id} is revoked; verifiers may accept it for {secs} s more, until their caches end"));
    match done["signer"]["kid"].as_str() {
        Some(kid) => {
            voice.say(format!("{kid} signs, published {} s ago", done["signer"]["published_for_secs"]));
        }
        None => voice.warn(format!("nobody signs for {id} now")),
    }
    Ok(ExitCode::Done)
}
