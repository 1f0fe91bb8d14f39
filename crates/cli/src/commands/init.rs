//! `init`: a data folder with a store and a master key, made once.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use server::settings::{MasterKeyPlace, SETTINGS_FILE};

use super::data;
use crate::args::InitArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &InitArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let flags: Vec<_> = arguments.store.iter().map(|url| ("store.url", url.clone())).collect();
    let settings = data::settings(folder, &flags)?;
    data::init(folder, &settings)?;
    match &settings.store.url {
        Some(address) => voice.say(format!("a store was made in {address}")),
        None => voice.say(format!("a store was made in {}", folder.display())),
    }
    if let Some(url) = &arguments.store {
        note(url, folder, voice)?;
    }
    if let MasterKeyPlace::File(path) = &settings.store.master_key {
        voice.say(format!(
            "its master key is {}: keep a copy elsewhere, nothing opens without it",
            folder.join(path).display()
        ));
    }
    Ok(ExitCode::Done)
}

/// Leaves the URL where every later command finds it. A settings file that is there already is its author's.
pub(super) fn note(url: &str, folder: &Path, voice: Voice) -> Result<(), Failure> {
    let file = folder.join(SETTINGS_FILE);
    let line = format!("store.url = {}\n", serde_json::Value::from(url));
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        Ok(mut made) => made
            .write_all(line.as_bytes())
            .map_err(|error| Failure::new(ExitCode::Output, "unwritable", format!("{}: {error}", file.display()))),
        Err(_) => {
            voice.warn(format!("later commands need this line at the top of {}: {line}", file.display()));
            Ok(())
        }
    }
}
