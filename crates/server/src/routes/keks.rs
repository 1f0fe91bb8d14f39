//! The keys that sealed boxes lie under, for operators: listed, renewed, emptied, deleted, and put under another master key.

use std::path::PathBuf;
use std::sync::Arc;

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use signer::{MasterSource, Secret};

use super::rings::{parse, refused};
use super::{Call, Route, ServesAdmin, caller, json_reply};
use crate::deployment::Caller;
use crate::problem::{Body, Problem, Verb};
use crate::rings::RingsError;
use crate::vault::{Resealed, Vault};

/// The most octets of a passphrase file.
pub const PASSPHRASE_BYTES_MAX: u64 = 4_096;

/// Where a new master key is, for a server that reads it itself: its environment is not ours to change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum NewMasterKey {
    /// A file with 64 hexadecimal digits; it is drawn where there is none.
    File(PathBuf),
    /// A file with a passphrase.
    PassphraseFile(PathBuf),
}

type Answered = Result<Json, RingsError>;

/// `GET /keks`, `POST /keks`, `POST /keks/reseal`, `DELETE /keks/{kek}`, `POST /master-key`.
pub fn routes<L: ServesAdmin>(vault: &Arc<Vault>) -> [Route<L>; 5] {
    let route = |verb, path, work: fn(&Vault, &str, &[u8], &Caller) -> Result<Answered, Problem>| {
        let vault = Arc::clone(vault);
        Route::new(verb, path, move |call| answer(Arc::clone(&vault), call, work))
    };
    [
        route(Verb::Get, "/keks", |vault, _, _, _| Ok(list(vault))),
        route(Verb::Post, "/keks", |vault, _, _, by| Ok(renew(vault, by))),
        route(Verb::Post, "/keks/reseal", |vault, _, _, by| Ok(reseal(vault, by))),
        route(Verb::Delete, "/keks/{kek}", |vault, kek, _, by| Ok(delete(vault, kek, by))),
        route(Verb::Post, "/master-key", |vault, _, body, by| Ok(change_master_key(vault, &parse(body)?, by))),
    ]
}

/// Each KEK with the number of boxes under it.
///
/// # Errors
/// [`RingsError`]. So for all of these: they block, and say in JSON what they did.
pub fn list(vault: &Vault) -> Answered {
    let keks = vault.keks()?;
    let listed = keks.iter().map(|kek| json!({ "kek": kek.kek_id, "primary": kek.is_primary, "boxes": kek.boxes }));
    Ok(json!({ "keks": listed.collect::<Vec<Json>>() }))
}

/// Makes another KEK and moves every box under it.
///
/// # Errors
/// As [`list`].
pub fn renew(vault: &Vault, by: &Caller) -> Answered {
    let kek_id = vault.renew_kek(&by.by())?;
    Ok(moved(&kek_id, &vault.reseal(&by.by())?))
}

/// Goes on with a move of boxes that ended early.
///
/// # Errors
/// As [`list`].
pub fn reseal(vault: &Vault, by: &Caller) -> Answered {
    let done = vault.reseal(&by.by())?;
    Ok(moved(&vault.signer().keeper().primary_kek(), &done))
}

/// Deletes a KEK that nothing lies under.
///
/// # Errors
/// As [`list`].
pub fn delete(vault: &Vault, kek_id: &str, by: &Caller) -> Answered {
    vault.delete_kek(kek_id, &by.by())?;
    Ok(json!({ "deleted": kek_id }))
}

/// Puts every KEK under another master key.
///
/// # Errors
/// As [`list`].
pub fn change_master_key(vault: &Vault, new: &NewMasterKey, by: &Caller) -> Answered {
    vault.change_master_key(new.source().map_err(|error| RingsError::Refused(error.to_string()))?, &by.by())?;
    Ok(json!({ "keks": vault.keks()?.len() }))
}

impl NewMasterKey {
    fn source(&self) -> std::io::Result<MasterSource> {
        Ok(match self {
            Self::File(path) => MasterSource::File(path.clone()),
            Self::PassphraseFile(path) => MasterSource::Passphrase(passphrase(path)?),
        })
    }
}

fn passphrase(path: &std::path::Path) -> std::io::Result<Secret> {
    use std::io::Read as _;
    let mut octets = zeroize::Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(PASSPHRASE_BYTES_MAX).read_to_end(&mut octets)?;
    let length = octets.trim_ascii_end().len();
    octets.truncate(length);
    Ok(Secret::from(octets))
}

fn moved(kek_id: &str, done: &Resealed) -> Json {
    json!({ "kek": kek_id, "moved": done.moved, "unopenable": done.stuck })
}

async fn answer(
    vault: Arc<Vault>,
    call: Call,
    work: fn(&Vault, &str, &[u8], &Caller) -> Result<Answered, Problem>,
) -> Result<Response<Body>, Problem> {
    let by = caller(call.peer);
    let kek_id = call.captures.get("kek").to_owned();
    let body = call.body().await?;
    let done = tokio::task::spawn_blocking(move || work(&vault, &kek_id, &body, &by)).await;
    Ok(match done.map_err(|_| Problem::Internal)?? {
        Ok(done) => json_reply(StatusCode::OK, &done),
        Err(error) => refused(&error),
    })
}
