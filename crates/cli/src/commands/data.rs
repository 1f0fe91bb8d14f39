//! The data folder as the commands meet it: its settings, its master key, its store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use server::control::Client;
use server::rings::{NewRingSpec, Rings, RingsError};
use server::settings::{MasterKeyPlace, PasswordPlace, PinPlace, Settings};
use server::vault::{Place, TENANT, Vault, VaultError};
use signer::{Hsm, HsmSettings, MasterSource, Secret};
use store::{Address, By};

use super::unset;
use crate::exit::{ExitCode, Failure};
use crate::input::read_file;
use crate::voice::Voice;

/// How often it is looked whether the master key is there.
const MASTER_KEY_PAUSE: Duration = Duration::from_millis(200);
/// The most octets of a passphrase file.
const PASSPHRASE_BYTES_MAX: u64 = 4_096;

/// Reads the settings of a data folder, the environment and these flags.
pub(super) fn settings(folder: &Path, flags: &[(&str, String)]) -> Result<Settings, Failure> {
    Settings::load(folder, unset::variables(), flags)
        .map_err(|error| Failure::new(ExitCode::Configuration, "settings_invalid", error))
}

/// Makes a store and its master key in a folder that has none.
pub(super) fn init(folder: &Path, settings: &Settings) -> Result<Arc<Vault>, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(ExitCode::Missing, "folder_missing", format!("cannot make {}: {error}", folder.display()))
    })?;
    let begins_with = NewRingSpec::of_a_new_store(settings.core.rotation_period_of(TENANT));
    let (source, address) = (master_key(folder, settings)?, address(folder, settings)?);
    let place = address.as_ref().map_or(Place::Folder(folder), |address| Place::ServerAndFolder(address, folder));
    let vault = Vault::init(place, source, &begins_with, &by()).map_err(failed)?;
    let vault = Arc::new(equipped(vault, folder, settings)?);
    // The standbys, which any later start would make as well.
    Rings::open(Arc::clone(&vault)).map_err(failed)?.tend(&by()).map_err(ring_failed)?;
    Ok(vault)
}

/// Opens the store of a folder, which no server may run on, or the one that its settings name.
pub(super) fn open(folder: &Path, settings: &Settings) -> Result<Vault, Failure> {
    let source = master_key(folder, settings)?;
    let opened = match address(folder, settings)? {
        Some(address) => Vault::open(Place::ServerAndFolder(&address, folder), source),
        None => {
            refuse_missing(folder)?;
            Vault::open(folder, source)
        }
    };
    equipped(opened.map_err(failed)?, folder, settings)
}

/// The same for a store that may be older than the one that this folder has seen.
pub(super) fn open_rolled_back(folder: &Path, settings: &Settings) -> Result<Vault, Failure> {
    let source = master_key(folder, settings)?;
    let opened = match address(folder, settings)? {
        Some(address) => Vault::open(&address, source).and_then(|vault| vault.rolled_back_beside(folder, &by())),
        None => {
            refuse_missing(folder)?;
            Vault::open_rolled_back(folder, source, &by())
        }
    };
    equipped(opened.map_err(failed)?, folder, settings)
}

/// Opens the snapshot of a folder whose store is away.
pub(super) fn open_snapshot(folder: &Path, settings: &Settings) -> Result<Vault, Failure> {
    Vault::open_snapshot(folder, master_key(folder, settings)?).map_err(failed)
}

/// Waits until the master key can be read where the settings say that it is: a folder may be mounted late.
pub(super) fn wait_for_master_key(folder: &Path, settings: &Settings, wait: Duration, voice: Voice) {
    let path = match &settings.store.master_key {
        MasterKeyPlace::File(path) | MasterKeyPlace::PassphraseFile(path) => folder.join(path),
        MasterKeyPlace::Environment(_) | MasterKeyPlace::PassphraseEnvironment(_) => return,
    };
    let started = Instant::now();
    let mut is_told = false;
    while std::fs::File::open(&path).is_err() && started.elapsed() < wait {
        if !is_told {
            voice.warn(format!("the master key {} is away; nothing is served until it is there", path.display()));
            is_told = true;
        }
        std::thread::sleep(MASTER_KEY_PAUSE);
    }
}

fn refuse_missing(folder: &Path) -> Result<(), Failure> {
    if !store::Store::is_in(folder) {
        return Err(Failure::new(
            ExitCode::Missing,
            "store_missing",
            format!("there is no store in {}", folder.display()),
        )
        .hint("Make one with `chancery init`, or name another folder with --data."));
    }
    Ok(())
}

/// With what the settings put beside the store: a token, and a place for copies of the audit.
fn equipped(vault: Vault, folder: &Path, settings: &Settings) -> Result<Vault, Failure> {
    let audit = &settings.audit;
    let sink = audit.sink.clone().map(|place| (place.below(folder), audit.policy));
    vault.with_hsm(hsm(folder, settings)?).with_audit_sink(folder, sink).map_err(failed)
}

/// The token that the settings name, if they do. It is not asked for yet: it may come later.
fn hsm(folder: &Path, settings: &Settings) -> Result<Option<Arc<Hsm>>, Failure> {
    let Some(module) = settings.hsm.module.clone() else { return Ok(None) };
    let pin = match &settings.hsm.pin {
        PinPlace::File(path) => secret_file(&folder.join(path))?,
        PinPlace::Environment(name) => variable(name, "hsm_pin_missing", "hsm.pin")?,
    };
    let loaded = Hsm::load(HsmSettings { module, token: settings.hsm.token.clone(), pin });
    loaded.map(Some).map_err(|fault| Failure::new(ExitCode::Configuration, fault.code(), fault))
}

/// Whether a store is to be found by this folder: in it, or where its settings say. No database is asked.
pub(super) fn names_a_store(folder: &Path) -> bool {
    store::Store::is_in(folder) || settings(folder, &[]).is_ok_and(|settings| settings.store.url.is_some())
}

/// Whether a store is there already.
pub(super) fn is_there(folder: &Path, settings: &Settings) -> Result<bool, Failure> {
    match address(folder, settings)? {
        Some(address) => store::Store::is_at(&address).map_err(|error| failed(error.into())),
        None => Ok(store::Store::is_in(folder)),
    }
}

/// The database that the settings name, with its password.
pub(super) fn address(folder: &Path, settings: &Settings) -> Result<Option<Address>, Failure> {
    let Some(address) = settings.store.url.clone() else { return Ok(None) };
    let password = match &settings.store.password {
        None => return Ok(Some(address)),
        Some(PasswordPlace::Environment(name)) => variable(name, "password_missing", "store.password")?,
        Some(PasswordPlace::File(path)) => secret_file(&folder.join(path))?,
    };
    Ok(Some(address.with_password(password.expose())))
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
    let variable = |name: &str| variable(name, "master_key_missing", "store.master_key");
    let master = |name: &str| unset::taken().map_or_else(|| variable(name), Ok);
    Ok(match &settings.store.master_key {
        MasterKeyPlace::File(path) => MasterSource::File(folder.join(path)),
        MasterKeyPlace::PassphraseFile(path) => MasterSource::Passphrase(secret_file(&folder.join(path))?),
        MasterKeyPlace::Environment(name) => MasterSource::Environment { name: name.clone(), value: master(name)? },
        MasterKeyPlace::PassphraseEnvironment(name) => MasterSource::Passphrase(master(name)?),
    })
}

/// What a file holds, without the line's end.
fn secret_file(path: &Path) -> Result<Secret, Failure> {
    let mut text = zeroize::Zeroizing::new(read_file(path, PASSPHRASE_BYTES_MAX)?);
    let length = text.trim_ascii_end().len();
    text.truncate(length);
    Ok(Secret::from(text))
}

fn variable(name: &str, code: &'static str, setting: &str) -> Result<Secret, Failure> {
    std::env::var(name).map(|value| Secret::new(value.into_bytes())).map_err(|_| {
        Failure::new(ExitCode::Configuration, code, format!("the environment variable {name} is not set"))
            .hint(format!("{setting} in the settings says where it is."))
    })
}

/// What a refusal of the vault means for the command.
pub(super) fn failed(error: VaultError) -> Failure {
    let (exit, code) = match &error {
        VaultError::Signer(error @ signer::Error::KeyRefused { .. }) => (ExitCode::Refused, error.code()),
        VaultError::Signer(error @ signer::Error::Hsm(_)) => (ExitCode::Away, error.code()),
        VaultError::Signer(error) => (ExitCode::Configuration, error.code()),
        VaultError::RolledBack { .. } => (ExitCode::Configuration, "store_rolled_back"),
        VaultError::Aside { .. } => (ExitCode::Away, "aside_failed"),
        VaultError::NoHsm => (ExitCode::Configuration, "no_hsm"),
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
        Error::AuditAway { .. }
        | Error::InUse { .. }
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
