//! Flows in a store that no server has open.

use std::path::Path;

use dialects::node_red::Credentials;
use dialects::{FoundSecret, Kind, Lowered};
use jose::Random as _;
use server::deployment::{secret_step, without};
use server::vault::{SecretStep, TENANT, Vault};
use signer::RandomPool;
use store::NewDocument;

use super::text_of;
use crate::commands::data;
use crate::commands::document::Document;
use crate::exit::{ExitCode, Failure};

/// A flow as it is stored, and its credentials.
pub(super) struct Exported {
    pub(super) flow: String,
    /// Its dialect, by name.
    pub(super) kind: String,
    pub(super) credentials: Credentials,
}

/// Stores the flow with its secrets, all or nothing; gives how many credentials of the file were set. Those that have
/// a stored value keep it unless they are to be replaced.
pub(super) fn import(
    folder: &Path,
    document: &Document,
    lowered: Lowered,
    credentials: &[FoundSecret],
    replace: bool,
) -> Result<usize, Failure> {
    let vault = data::open(folder, &data::settings(folder, &[])?)?;
    let octets = document.octets.clone().into();
    let (kind, octets, found) = match lowered {
        Lowered::NodeRed(lowered) => (Kind::NodeRed, without(&octets, &lowered.cuts), lowered.secrets),
        Lowered::ApiConnect(lowered) => (Kind::ApiConnect, lowered.kept.map_or(octets, Into::into), lowered.secrets),
        Lowered::Orchestration(lowered) => {
            (Kind::Orchestration, lowered.kept.map_or(octets, Into::into), lowered.secrets)
        }
    };
    let mut steps: Vec<_> = found.into_iter().filter_map(secret_step).collect();
    let mut set = 0;
    for found in credentials {
        let stands = vault.secret(&found.secret).map_err(data::failed)?.is_some();
        let Some(step) = text_of(found).and_then(SecretStep::of_text).filter(|_| replace || !stands) else { continue };
        steps.push((found.secret.clone(), step));
        set += 1;
    }
    let new = NewDocument { tenant: TENANT, name: &document.name, kind: kind.name(), octets: &octets, over: None };
    vault.deploy(&new, &steps, &data::by()).map_err(data::failed)?;
    Ok(set)
}

/// The stored flow of that name, with the credentials of the nodes that it has.
pub(super) fn export(folder: &Path, name: &str) -> Result<Exported, Failure> {
    let vault = data::open(folder, &data::settings(folder, &[])?)?;
    let stored = vault.store().document(TENANT, name).map_err(|error| data::failed(error.into()))?;
    let stored = stored.ok_or_else(|| {
        Failure::new(ExitCode::Missing, "document_missing", format!("no document `{name}` is stored"))
    })?;
    let document = Document { name: stored.name, octets: stored.octets };
    let flow = String::from_utf8(document.octets.clone())
        .map_err(|_| Failure::new(ExitCode::Internal, "internal", "the stored document is no text"))?;
    let is_flow_file = stored.kind == Kind::NodeRed.name();
    let credentials = if is_flow_file { credentials(&vault, &document)? } else { Credentials::default() };
    Ok(Exported { flow, kind: stored.kind, credentials })
}

/// The credentials file under this secret, with a vector that was never used before.
pub(super) fn sealed(credentials: &Credentials, secret: &str) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(ExitCode::Internal, "internal", error);
    let mut vector = [0; 16];
    RandomPool::new().fill(&mut vector).map_err(|error| failed(&error))?;
    credentials.write(secret, vector).map_err(|error| failed(&error))
}

fn credentials(vault: &Vault, document: &Document) -> Result<Credentials, Failure> {
    let mut all = Credentials::default();
    let mut held = Credentials::default();
    for secret in vault.secrets().map_err(data::failed)? {
        if let Some(value) = vault.secret(&secret).map_err(data::failed)? {
            all.add(&secret, &String::from_utf8_lossy(value.expose()));
        }
    }
    let found = all.secrets_of(&document.octets);
    for found in found.map_err(|told| crate::commands::document::refused(document, &[*told]))? {
        text_of(&found).into_iter().for_each(|text| held.add(&found.secret, text));
    }
    Ok(held)
}
