//! `keys export`: the private half of a generation, to whoever keeps it from then on.

use std::path::Path;

use http::Method;
use jose::jwk::Jwk;
use serde_json::json;
use server::routes::rings;
use zeroize::Zeroizing;

use super::super::key;
use super::super::rings::{Ask, path};
use super::written::{self, Destination};
use crate::args::rings::ExportKeyArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &ExportKeyArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    let destination = Destination::new(arguments.form, &arguments.file, Some(&arguments.private), &inputs)?;
    let destination = destination.for_private(voice)?;
    let (id, name) = (arguments.ring.id(), arguments.key.clone());
    let offline = |rings: &_, by: &_| rings::export(rings, &id, &name, by);
    let (method, path) = (Method::POST, path(&arguments.ring, "export"));
    let exported = Ask { method, path, body: json!({ "key": arguments.key }), offline, folder }.answer()?;
    let text = Zeroizing::new(exported.to_string());
    let key = Jwk::parse(text.as_bytes()).map_err(|error| key::refused(&error))?;
    written::write(&[key], &destination, voice)
}
