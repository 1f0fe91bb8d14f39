//! `backup` and `restore`: a copy of the store at one instant, and back into a folder that has none.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use http::Method;
use serde_json::json;
use server::routes::rings;

use super::data;
use super::rings::Ask;
use crate::args::rings::{BackupArguments, RestoreArguments};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &BackupArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let unwritable =
        |error| Failure::new(ExitCode::Output, "unwritable", format!("{}: {error}", arguments.file.display()));
    let file = std::path::absolute(&arguments.file).map_err(unwritable)?;
    let text = file.to_str().ok_or_else(|| Failure::usage("the path of the backup is not UTF-8 text"))?;
    let body = json!({ "file": text });
    let offline = |rings: &_, by: &_| rings::backup(rings, &file, by);
    let done = Ask { method: Method::POST, path: "/backup".to_owned(), body, offline, folder }.answer()?;
    voice.say(format!("{} holds the store; keep its master key elsewhere", file.display()));
    if voice.is_json() {
        voice.result(done.to_string())?;
    }
    Ok(ExitCode::Done)
}

/// Copies a backup into a folder without a store, opens it once, and leaves it there only if it opens.
pub(super) fn restore(arguments: &RestoreArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    if store::Store::is_in(folder) {
        return Err(Failure::new(
            ExitCode::Configuration,
            "already_initialized",
            format!("{} holds a store already; nothing was changed", folder.display()),
        )
        .hint("Name another folder with --data, or move that store away."));
    }
    if data::settings(folder, &[])?.store.url.is_some() {
        let message = "the settings name a database as the store, and a backup is one of a folder";
        return Err(Failure::new(ExitCode::Configuration, "not_on_postgresql", message)
            .hint("Restore what pg_dump wrote with psql, or name another folder with --data."));
    }
    let failed =
        |error| Failure::new(ExitCode::Missing, "unreadable", format!("{}: {error}", arguments.file.display()));
    let mut from = std::fs::File::open(&arguments.file).map_err(failed)?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    // The journal of a database that is not here any more would be played into this one.
    match std::fs::remove_file(folder.join(store::JOURNAL_FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let place = folder.join(store::DATABASE_FILE);
    let mut to = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place).map_err(failed)?;
    let copied = std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all());
    let opened = copied.map_err(failed).and_then(|()| {
        let settings = data::settings(folder, &[])?;
        let open = if arguments.accept_rollback { data::open_rolled_back } else { data::open };
        let vault = open(folder, &settings)?;
        vault
            .store()
            .verify_audit()
            .and_then(|_| vault.store().verify_rings())
            .map_err(|error| data::failed(error.into()))
    });
    if let Err(failure) = opened {
        // What does not open is no store; a second try must find the folder as it was.
        let _ = std::fs::remove_file(&place);
        return Err(failure);
    }
    voice.say(format!("the store is in {}", folder.display()));
    Ok(ExitCode::Done)
}
