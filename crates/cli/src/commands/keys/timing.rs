//! `keys timing`: how long the keys of a ring sign, and its tokens live.

use std::path::Path;

use http::Method;
use serde_json::json;
use server::routes::rings::{self, TimingAsked};

use super::super::rings::{Ask, path};
use crate::args::rings::TimingArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &TimingArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let asked = TimingAsked {
        rotation_period_secs: arguments.rotation_period.map(|period| period.secs),
        max_lifetime_secs: arguments.max_lifetime.map(|lifetime| lifetime.secs),
        over_life: arguments.over_life.map(|over_life| over_life.name().to_owned()),
    };
    let body = json!(asked);
    let id = arguments.ring.id();
    let offline = |rings: &_, by: &_| rings::set_timing(rings, &id, &asked, by);
    let (method, path) = (Method::POST, path(&arguments.ring, "timing"));
    let done = Ask { method, path, body, offline, folder }.answer()?;
    if voice.is_json() {
        voice.result(done.to_string())?;
    }
    voice.say(format!(
        "each next generation of {id} signs for {} s and is published {} s before; tokens live {} s, else {}",
        done["rotation_period_secs"], done["publish_lead_secs"], done["max_lifetime_secs"], done["over_life"]
    ));
    Ok(ExitCode::Done)
}
