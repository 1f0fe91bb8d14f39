//! `kek`: the keys that the store is sealed with, through the running server or in its store.

use std::path::Path;

use http::Method;
use serde_json::{Value as Json, json};
use server::routes::keks::{self, NewMasterKey};

use super::rings::Ask;
use super::secret::online::encoded;
use crate::args::kek::{KekCommand, MasterKeyArguments};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(command: &KekCommand, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    match command {
        KekCommand::List => list(folder, voice),
        KekCommand::Renew => {
            let (method, path, body) = (Method::POST, "/keks".to_owned(), Json::Null);
            moved(
                &Ask { method, path, body, offline: |r: &_, by: &_| keks::renew(vault(r), by), folder }.answer()?,
                voice,
            )
        }
        KekCommand::Reseal => {
            let (method, path, body) = (Method::POST, "/keks/reseal".to_owned(), Json::Null);
            moved(
                &Ask { method, path, body, offline: |r: &_, by: &_| keks::reseal(vault(r), by), folder }.answer()?,
                voice,
            )
        }
        KekCommand::Delete { kek } => delete(kek, folder, voice),
        KekCommand::MasterKey(arguments) => master_key(arguments, folder, voice),
    }
}

fn list(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (method, path, body) = (Method::GET, "/keks".to_owned(), Json::Null);
    let listed = Ask { method, path, body, offline: |r: &_, _: &_| keks::list(vault(r)), folder }.answer()?;
    for kek in listed["keks"].as_array().into_iter().flatten() {
        let is_primary = if kek["primary"] == true { ", new ones too" } else { "" };
        let id = kek["kek"].as_str().unwrap_or_default();
        voice.result(if voice.is_json() {
            kek.to_string()
        } else {
            format!("{id}  {} boxes lie under it{is_primary}", kek["boxes"])
        })?;
    }
    Ok(ExitCode::Done)
}

fn delete(kek: &str, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (method, path, body) = (Method::DELETE, format!("/keks/{}", encoded(kek)), Json::Null);
    Ask { method, path, body, offline: |r: &_, by: &_| keks::delete(vault(r), kek, by), folder }.answer()?;
    voice.say(format!("KEK {kek} is gone"));
    Ok(ExitCode::Done)
}

fn master_key(arguments: &MasterKeyArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (kind, file) = match (&arguments.file, &arguments.passphrase_file) {
        (Some(file), _) => ("file", file),
        (None, Some(file)) => ("passphrase_file", file),
        (None, None) => return Err(Failure::usage("the new master key is named by --file or --passphrase-file")),
    };
    // A server runs in a folder of its own.
    let file = std::path::absolute(file).map_err(Failure::usage)?;
    let text = file.to_str().ok_or_else(|| Failure::usage("the path of the master key is not UTF-8 text"))?;
    let new =
        if kind == "file" { NewMasterKey::File(file.clone()) } else { NewMasterKey::PassphraseFile(file.clone()) };
    let (method, path, body) = (Method::POST, "/master-key".to_owned(), json!({ kind: text }));
    let offline = |r: &_, by: &_| keks::change_master_key(vault(r), &new, by);
    let done = Ask { method, path, body, offline, folder }.answer()?;
    voice.say(format!("{} KEKs lie under the new master key; the old one opens this store no more", done["keks"]));
    voice.say(format!("set store.master_key to \"{}:{text}\" before the next start", kind.replace('_', "-")));
    Ok(ExitCode::Done)
}

fn moved(done: &Json, voice: Voice) -> Result<ExitCode, Failure> {
    for owner in done["unopenable"].as_array().into_iter().flatten() {
        voice.warn(format!("the box of {owner} does not open and stays where it is"));
    }
    let kek = done["kek"].as_str().unwrap_or_default();
    voice.say(format!("{} boxes were moved under KEK {kek}", done["moved"]));
    if voice.is_json() {
        voice.result(done.to_string())?;
    }
    Ok(ExitCode::Done)
}

fn vault(rings: &server::rings::Rings) -> &server::vault::Vault {
    rings.vault()
}
