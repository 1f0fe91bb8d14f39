//! `keys republish`: public keys that a restored store lacks are shown again, until their last token is dead.

use std::path::Path;

use http::Method;
use jose::jwk::{Jwk, JwkSet};
use serde_json::json;
use server::routes::rings;

use super::super::key;
use super::super::rings::Ask;
use crate::args::rings::RepublishArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::time::Clock;
use crate::voice::Voice;

pub(super) fn run(
    arguments: &RepublishArguments,
    folder: &Path,
    clock: Clock,
    voice: Voice,
) -> Result<ExitCode, Failure> {
    let until_secs = arguments.until.epoch_secs(clock.now_secs());
    let (method, path) = (Method::POST, "/rings-republished".to_owned());
    let Some(set) = &arguments.keys else {
        let body = json!({ "until_secs": until_secs });
        let offline = |rings: &_, by: &_| rings::republish_served(rings, until_secs, by);
        let done = Ask { method, path, body, offline, folder }.answer()?;
        let (again, served) = (&done["republished"], &done["served"]);
        voice.say(format!("{again} of {served} keys that were served are published again; the others are"));
        return Ok(ExitCode::Done);
    };
    let octets = Inputs::default().key(set)?;
    let set = JwkSet::parse(&octets).map_err(|error| key::refused(&error))?;
    let keys: Vec<_> = set.keys.into_iter().map(|key| Jwk::Public(key).public().map(|key| key.to_json())).collect();
    let keys: Vec<String> = keys.into_iter().flatten().collect();
    let tenant = arguments.tenant.as_str();
    let body = json!({ "tenant": tenant, "keys": keys, "until_secs": until_secs });
    let offline = |rings: &_, by: &_| rings::republish(rings, tenant, &keys, until_secs, by);
    let done = Ask { method, path, body, offline, folder }.answer()?;
    if voice.is_json() {
        voice.result(done.to_string())?;
    }
    voice.say(format!("{} of {} keys are published again; the others were", done["republished"], keys.len()));
    Ok(ExitCode::Done)
}
