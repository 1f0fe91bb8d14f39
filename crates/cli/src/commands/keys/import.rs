//! `keys import`: a private key becomes the next generation of a ring.

use std::path::Path;

use http::Method;
use jose::jwa::{Switch, Switches};
use jose::jwk::Jwk;
use serde_json::json;
use server::routes::rings;
use zeroize::Zeroizing;

use super::super::key;
use super::super::rings::{Ask, path};
use super::{read_all, said};
use crate::args::rings::ImportKeyArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &ImportKeyArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let mut keys = read_all(&arguments.key, &Inputs::default())?;
    let (Some(Jwk::Private(private)), None) = (keys.pop(), keys.pop()) else {
        return Err(Failure::new(ExitCode::Refused, "key_refused", "a ring takes one private key at a time")
            .hint("Name the key of a set with --kid."));
    };
    let mut text = Zeroizing::new(Vec::new());
    private.write_private(&mut text);
    let text = Zeroizing::new(String::from_utf8_lossy(&text).into_owned());
    let id = arguments.ring.id();
    let switches = key::switches(&arguments.allow);
    let offline = |rings: &_, by: &_| rings::import(rings, &id, text.as_bytes(), switches, by);
    let (method, path) = (Method::POST, path(&arguments.ring, "import"));
    let allow: Vec<&str> = switches.iter().map(Switch::name).collect();
    let body = json!({ "key": *text, "allow": allow });
    let done = Ask { method, path, body, offline, folder }.answer()?;
    let acted = done["acted"].as_array().into_iter().flatten();
    let acted = acted.filter_map(|name| switches.iter().find(|switch| *name == switch.name()));
    key::warn_of(acted.fold(Switches::NONE, Switches::with), voice);
    said(&done, voice)
}
