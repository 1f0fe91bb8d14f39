//! `keys`: one file a verb. These verbs need no store.

mod check;
mod convert;
mod generate;
mod public;
mod thumbprint;
mod written;

use jose::jwk::Jwk;

use super::key::{self, Reading};
use crate::args::keys::{KeyFileArguments, KeysCommand};
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(command: &KeysCommand, voice: Voice) -> Result<ExitCode, Failure> {
    match command {
        KeysCommand::Generate(arguments) => generate::run(arguments, voice),
        KeysCommand::Check(arguments) => check::run(arguments, voice),
        KeysCommand::Public(arguments) => public::run(arguments, voice),
        KeysCommand::Thumbprint(arguments) => thumbprint::run(arguments, voice),
        KeysCommand::Convert(arguments) => convert::run(arguments, voice),
    }
}

/// Reads what is named: every key of a set, or the one key of any other form. The first bad one ends it.
fn read_all(arguments: &KeyFileArguments, inputs: &Inputs) -> Result<Vec<Jwk>, Failure> {
    key::read_each(inputs, &arguments.key, &reading(arguments))?.into_iter().collect()
}

fn reading(arguments: &KeyFileArguments) -> Reading<'_> {
    Reading { arguments: &arguments.reading, kid: arguments.kid.as_deref(), algorithm: None }
}
