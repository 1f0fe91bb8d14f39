//! `init`: a data folder with a store and a master key, made once.

use std::path::Path;

use server::settings::MasterKeyPlace;

use super::data;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let settings = data::settings(folder, &[])?;
    data::init(folder, &settings)?;
    voice.say(format!("a store was made in {}", folder.display()));
    if let MasterKeyPlace::File(path) = &settings.store.master_key {
        voice.say(format!(
            "its master key is {}: keep a copy elsewhere, nothing opens without it",
            folder.join(path).display()
        ));
    }
    Ok(ExitCode::Done)
}
