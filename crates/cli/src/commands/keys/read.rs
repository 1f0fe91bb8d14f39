//! `keys read`: the shared secrets of a ring, for a consumer that verifies its tokens.

use std::path::Path;

use http::Method;
use jose::jwk::Jwk;
use serde_json::{Value as Json, json};
use server::routes::rings;
use zeroize::Zeroizing;

use super::super::key;
use super::super::rings::{Ask, path};
use super::written::{self, Destination};
use crate::args::keys::{FormArguments, FormatArgument};
use crate::args::rings::{ReadArguments, RingArgument};
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &ReadArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let form = FormArguments { format: FormatArgument::Jwks, form: None };
    let destination = Destination::new(form, &arguments.file, None, &Inputs::default())?;
    let destination = if arguments.show_private { destination } else { destination.for_private(voice)? };
    written::write(&secrets(&arguments.ring, &arguments.reader, folder)?, &destination, voice)
}

/// The secrets of a ring, noted under the name of the reader.
pub(in crate::commands) fn secrets(ring: &RingArgument, reader: &str, folder: &Path) -> Result<Vec<Jwk>, Failure> {
    let id = ring.id();
    let offline = |rings: &_, by: &_| rings::read(rings, &id, reader, by);
    let (method, path) = (Method::POST, path(ring, "read"));
    let set = Ask { method, path, body: json!({ "reader": reader }), offline, folder }.answer()?;
    let keys = set["keys"].as_array().into_iter().flatten();
    let parsed = keys.map(|key: &Json| Jwk::parse(Zeroizing::new(key.to_string()).as_bytes()));
    parsed.map(|key| key.map_err(|error| key::refused(&error))).collect()
}
