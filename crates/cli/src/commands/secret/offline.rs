//! Secrets in a store that no server has open.

use std::path::Path;
use std::sync::Arc;

use jose::jwk::Jwk;
use plan::SecretRef;
use sandbox::{Pool, PoolSettings};
use server::deployment::{ApiSettings, Deployments, FlowHouse};
use server::effects::fetch::{AllowList, Fetcher};
use server::effects::file::Files;
use server::log::{Form, Level, Log};
use server::rings::Rings;
use server::vault::{SecretStep, Vault};

use super::Wish;
use super::data;
use crate::exit::{ExitCode, Failure};

pub(super) fn set(folder: &Path, node: &str, field: &str, wish: &Wish) -> Result<(), Failure> {
    let step = match wish {
        Wish::Value(text) => SecretStep::of_text(text),
        Wish::Env(name) => Some(SecretStep::of_variable(name).ok_or_else(|| {
            Failure::usage(format!("`{name}` is no name of an environment variable that flows may see"))
        })?),
    };
    let Some(step) = step else { return Ok(()) };
    let (vault, secret) = find(folder, node, field, |_, secret| Ok(secret))?;
    vault.change_secret(&secret, &step, &data::by()).map(drop).map_err(data::failed)
}

/// Draws a key and stores it; gives what its other holder needs.
pub(super) fn generate(folder: &Path, node: &str, field: &str) -> Result<Jwk, Failure> {
    let (vault, (secret, drawn)) = find(folder, node, field, |deployments, secret| {
        let drawn = deployments.draw_key(&secret);
        Ok((secret, drawn.map_err(|error| Failure::new(ExitCode::Refused, "not_drawn", error))?))
    })?;
    vault.change_secret(&secret, &drawn.step, &data::by()).map_err(data::failed)?;
    Ok(drawn.shared)
}

pub(super) fn delete(folder: &Path, node: &str, field: &str) -> Result<(), Failure> {
    let (vault, secret) = find(folder, node, field, |_, secret| Ok(secret))?;
    match vault.change_secret(&secret, &SecretStep::Delete, &data::by()).map_err(data::failed)? {
        true => Ok(()),
        false => Err(Failure::new(ExitCode::Refused, "not_set", format!("{node}.{field} is not set"))),
    }
}

pub(super) fn list(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let vault = open(folder)?;
    let secrets = vault.secrets().map_err(data::failed)?;
    Ok(secrets.iter().map(|secret| (secret.owner.to_string(), secret.field.to_string())).collect())
}

fn open(folder: &Path) -> Result<Arc<Vault>, Failure> {
    let settings = data::settings(folder, &[])?;
    data::open(folder, &settings).map(Arc::new)
}

/// What is made of the secret of a node that the stored documents name by its id or name.
fn find<T>(
    folder: &Path,
    node: &str,
    field: &str,
    then: impl FnOnce(&Deployments, SecretRef) -> Result<T, Failure>,
) -> Result<(Arc<Vault>, T), Failure> {
    let vault = open(folder)?;
    let failed = |error: &dyn std::fmt::Display| Failure::new(ExitCode::Internal, "internal", error);
    let (log, guard) =
        Log::start(Level::Error, Form::for_stderr(), std::io::stderr()).map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| failed(&error))?;
    let deployments = Deployments::new(FlowHouse {
        vault: Arc::clone(&vault),
        rings: Rings::open(Arc::clone(&vault)).map_err(data::failed)?,
        pool: Pool::new(PoolSettings::default()),
        fetcher: Fetcher::new(AllowList::default()),
        files: Files::none(),
        log,
        environment: std::env::vars().collect(),
        reply_timeout: std::time::Duration::ZERO,
        jwt_any_hmac: false,
        given: Vec::new(),
        apis: ApiSettings::default(),
        listener: None,
    });
    let named = runtime.block_on(async {
        deployments.restore().await.map_err(|error| failed(&error))?;
        deployments.secret_named(node, field).map_err(|error| Failure::new(ExitCode::Refused, "node_unknown", error))
    });
    let made = named.and_then(|secret| then(&deployments, secret));
    runtime.shutdown_background();
    drop((deployments, guard));
    Ok((vault, made?))
}
