//! The data folder as the commands meet it: its settings, its master key, its store.

use std::path::Path;
use std::sync::Arc;

use server::control::Client;
use server::rings::{NewRingSpec, Rings, RingsError};
use server::settings::{MasterKeyPlace, Settings};
use server::vault::{TENANT, Vault, VaultError};
use signer::{MasterSource, Secret};
use store::By;

use crate::exit::{ExitCode, Failure};
use crate::input::read_file;

/// The most octets of a passphrase file.
const PASSPHRASE_BYTES_MAX: u64 = 4_096;

/// Reads the settings of a data folder, the environment and these flags.
pub(super) fn settings(folder: &Path, flags: &[(&str, String)]) -> Result<Settings, Failure> {
    Settings::load(folder, std::env::vars(), flags)
        .map_err(|error| Failure::new(ExitCode::Configuration, "settings_invalid", error))
}

/// Makes a store and its master key in a folder that has none.
pub(super) fn init(folder: &Path, settings: &Settings) -> Result<Arc<Vault>, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(ExitCode::Missing, "folder_missing", format!("cannot make {}: {error}", folder.display()))
    })?;
    let begins_with = NewRingSpec::of_a_new_store(settings.core.rotation_period_of(TENANT));
    let vault = Vault::init(folder, master_key(folder, settings)?, &begins_with, &by()).map_err(failed)?;
    let vault = Arc::new(vault);
    // The standbys, which any later start would make as well.
    Rings::open(Arc::clone(&vault)).map_err(failed)?.tend(&by()).map_err(ring_failed)?;
    Ok(vault)
}

/// Opens the store of a folder; no server may run on it.
pub(super) fn open(folder: &Path, settings: &Settings) -> Result<Vault, Failure> {
    if !store::Store::is_in(folder) {
        return Err(Failure::new(
            ExitCode::Missing,
            "store_missing",
            format!("there is no store in {}", folder.display()),
        )
        .hint("Make one with `chancery init`, or name another folder with --data."));
    }
    Vault::open(folder, master_key(folder, settings)?).map_err(failed)
}

/// The server that runs on this folder, if one does.
pub(super) fn running(folder: &Path) -> Result<Option<Client>, Failure> {
    Client::connect(folder).map_err(|error| {
        Failure::new(ExitCode::Away, "server_away", format!("the control socket does not answer: {error}"))
    })
}

/// Who changes the store from a command line.
pub(super) fn by() -> By<'static> {
    By { actor: "command line", address: None, request_id: None }
}

fn master_key(folder: &Path, settings: &Settings) -> Result<MasterSource, Failure> {
    Ok(match &settings.store.master_key {
        MasterKeyPlace::File(path) => MasterSource::File(folder.join(path)),
        MasterKeyPlace::PassphraseFile(path) => {
            let mut text = read_file(&folder.join(path), PASSPHRASE_BYTES_MAX)?;
            text.truncate(text.trim_ascii_end().len());
            MasterSource::Passphrase(Secret::from(zeroize::Zeroizing::new(text)))
        }
        MasterKeyPlace::Environment(name) => MasterSource::Environment { name: name.clone(), value: variable(name)? },
        MasterKeyPlace::PassphraseEnvironment(name) => MasterSource::Passphrase(variable(name)?),
    })
}

fn variable(name: &str) -> Result<Secret, Failure> {
    std::env::var(name).map(|value| Secret::new(value.into_bytes())).map_err(|_| {
        Failure::new(
            ExitCode::Configuration,
            "master_key_missing",
            format!("the environment variable {name} is not set"),
        )
        .hint("store.master_key in the settings says where the master key is.")
    })
}

/// What a refusal of the vault means for the command.
pub(super) fn failed(error: VaultError) -> Failure {
    let (exit, code) = match &error {
        VaultError::Signer(error @ signer::Error::KeyRefused { .. }) => (ExitCode::Refused, error.code()),
        VaultError::Signer(error) => (ExitCode::Configuration, error.code()),
        VaultError::InMemory => (ExitCode::Refused, "store_in_memory"),
        VaultError::EpochRegressed => (ExitCode::Away, "epoch_regressed"),
        VaultError::Store(error) => (exit_of(error), error.code()),
    };
    Failure::new(exit, code, error)
}

/// What a refusal of the rings means for the command.
pub(super) fn ring_failed(error: RingsError) -> Failure {
    let (_, code) = error.outcome();
    let exit = match error {
        RingsError::NoRing(_)
        | RingsError::NoGeneration { .. }
        | RingsError::NoPrivateHalf(_)
        | RingsError::Refused(_) => ExitCode::Refused,
        RingsError::Away(_) => ExitCode::Away,
        RingsError::Vault(error) => return failed(error),
    };
    Failure::new(exit, code, error)
}

fn exit_of(error: &store::Error) -> ExitCode {
    use store::Error;
    match error {
        Error::NoStore { .. } => ExitCode::Missing,
        Error::AlreadyInitialized { .. }
        | Error::RowsWithoutRoot { .. }
        | Error::NetworkFileSystem { .. }
        | Error::OpenToOthers { .. }
        | Error::SchemaTooNew { .. }
        | Error::Address { .. } => ExitCode::Configuration,
        Error::InUse { .. }
        | Error::ChangeBroken
        | Error::Damaged { .. }
        | Error::AuditBroken { .. }
        | Error::RingBroken { .. }
        | Error::File { .. }
        | Error::Database(_)
        | Error::Server { .. }
        | Error::Away { .. }
        | Error::Unsure { .. }
        | Error::Clash { .. } => ExitCode::Away,
        Error::NoRing { .. } | Error::NoGeneration { .. } => ExitCode::Missing,
        Error::StaleRevision { .. }
        | Error::EmptyName { .. }
        | Error::TooLarge { .. }
        | Error::RingExists { .. }
        | Error::RingName { .. }
        | Error::Timing { .. }
        | Error::KeySetFull { .. }
        | Error::KeyKnown { .. }
        | Error::NoKek { .. }
        | Error::KekPrimary { .. }
        | Error::KekInUse { .. }
        | Error::KekInBackup { .. }
        | Error::NotHere { .. } => ExitCode::Refused,
    }
}
