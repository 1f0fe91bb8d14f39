//! `keys`: one file a verb. Some need no store; those on rings ask the running server, or open its store.

mod check;
mod convert;
mod create;
mod export;
mod generate;
mod import;
mod list;
mod public;
pub(super) mod read;
mod reconcile;
mod republish;
mod revoke;
mod rotate;
mod show;
mod thumbprint;
mod timing;
pub(super) mod written;

use std::path::Path;

use jose::jwk::Jwk;
use serde_json::Value as Json;

use super::key::{self, Reading};
use crate::args::keys::{KeyFileArguments, KeysCommand};
use crate::args::rings::RingCommand;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::time::Clock;
use crate::voice::Voice;

pub(super) fn run(command: &KeysCommand, folder: &Path, clock: Clock, voice: Voice) -> Result<ExitCode, Failure> {
    match command {
        KeysCommand::Generate(arguments) => generate::run(arguments, voice),
        KeysCommand::Check(arguments) => check::run(arguments, voice),
        KeysCommand::Public(arguments) => public::run(arguments, voice),
        KeysCommand::Thumbprint(arguments) => thumbprint::run(arguments, voice),
        KeysCommand::Convert(arguments) => convert::run(arguments, voice),
        KeysCommand::OfRings(command) => of_rings(command, folder, clock, voice),
    }
}

fn of_rings(command: &RingCommand, folder: &Path, clock: Clock, voice: Voice) -> Result<ExitCode, Failure> {
    match command {
        RingCommand::List => list::run(folder, voice),
        RingCommand::Show(ring) => show::run(ring, folder, voice),
        RingCommand::Create(arguments) => create::run(arguments, folder, voice),
        RingCommand::Import(arguments) => import::run(arguments, folder, voice),
        RingCommand::Export(arguments) => export::run(arguments, folder, voice),
        RingCommand::Read(arguments) => read::run(arguments, folder, voice),
        RingCommand::Rotate(arguments) => rotate::run(arguments, folder, voice),
        RingCommand::Timing(arguments) => timing::run(arguments, folder, voice),
        RingCommand::Revoke(arguments) => revoke::run(arguments, folder, voice),
        RingCommand::Reconcile => reconcile::run(folder, voice),
        RingCommand::Republish(arguments) => republish::run(arguments, folder, clock, voice),
    }
}

/// Says which generations were made.
fn said(done: &Json, voice: Voice) -> Result<ExitCode, Failure> {
    if voice.is_json() {
        voice.result(done.to_string())?;
        return Ok(ExitCode::Done);
    }
    for made in done["made"].as_array().into_iter().flatten() {
        let text = |name: &str| made[name].as_str().unwrap_or_default();
        voice.say(format!(
            "{} generation {} is {}; it signs from {}",
            text("ring"),
            made["n"],
            text("kid"),
            text("signs_from")
        ));
    }
    Ok(ExitCode::Done)
}

/// Reads what is named: every key of a set, or the one key of any other form. The first bad one ends it.
fn read_all(arguments: &KeyFileArguments, inputs: &Inputs) -> Result<Vec<Jwk>, Failure> {
    key::read_each(inputs, &arguments.key, &reading(arguments))?.into_iter().collect()
}

fn reading(arguments: &KeyFileArguments) -> Reading<'_> {
    Reading { arguments: &arguments.reading, kid: arguments.kid.as_deref(), algorithm: None }
}
