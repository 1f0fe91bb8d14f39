//! `keys convert`: the same key in another form.

use super::read_all;
use super::written::{self, Destination};
use crate::args::keys::ConvertArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &ConvertArguments, voice: Voice) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    let keys = read_all(&arguments.key, &inputs)?;
    let destination = Destination::new(arguments.form, &arguments.file, Some(&arguments.private), &inputs)?;
    let destination = if written::any_private(&keys) { destination.for_private(voice)? } else { destination };
    written::write(&keys, &destination, voice)
}
