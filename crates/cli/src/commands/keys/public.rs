//! `keys public`: the half of a key that may be shown.

use jose::jwk::Jwk;

use super::read_all;
use super::written::{self, Destination};
use crate::args::keys::PublicArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &PublicArguments, voice: Voice) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    let keys = read_all(&arguments.key, &inputs)?;
    let public = keys.iter().map(|key| {
        let half = key.public().ok_or_else(|| {
            Failure::new(ExitCode::Unreadable, "key_unfit", "a symmetric key has no public half").at(&arguments.key.key)
        })?;
        Ok(Jwk::Public(half.into_owned()))
    });
    let destination = Destination::new(arguments.form, &arguments.file, None, &inputs)?;
    written::write(&public.collect::<Result<Vec<_>, Failure>>()?, &destination, voice)
}
