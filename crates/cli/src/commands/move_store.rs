//! `move`: the store of a data folder into a PostgreSQL database, so that several servers can serve it.

use std::path::Path;

use server::settings::SETTINGS_FILE;
use store::{DATABASE_FILE, Store};

use super::{data, init};
use crate::args::MoveArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// What the file is called once its store is elsewhere.
const MOVED_FILE: &str = "chancery.db.moved";

pub(super) fn run(arguments: &MoveArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    if data::running(folder)?.is_some() {
        return Err(Failure::new(ExitCode::Away, "server_runs", "a server has this store open")
            .hint("Stop it first: what it changed meanwhile would stay behind."));
    }
    if data::settings(folder, &[])?.store.url.is_some() {
        let message = format!("{} names a database already", folder.join(SETTINGS_FILE).display());
        return Err(Failure::new(ExitCode::Configuration, "already_initialized", message));
    }
    let settings = data::settings(folder, &[("store.url", arguments.to.clone())])?;
    let failed = |error: store::Error| data::failed(error.into());
    let address = data::address(folder, &settings)?.ok_or_else(|| Failure::usage("the URL is empty"))?;
    let store = Store::open(folder).map_err(failed)?;
    store.copy_to(&address).map_err(failed)?;
    drop(store);
    let (from, to) = (folder.join(DATABASE_FILE), folder.join(MOVED_FILE));
    std::fs::rename(&from, &to).map_err(|error| {
        Failure::new(ExitCode::Output, "unwritable", format!("{}: {error}", from.display()))
            .hint("The store is in the database now. Move this file away yourself, so that nobody serves it again.")
    })?;
    voice.say(format!("the store is in {address}; {} is what it was", to.display()));
    init::note(&arguments.to, folder, voice)?;
    Ok(ExitCode::Done)
}
