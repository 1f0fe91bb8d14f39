//! Follows the other servers of a shared store: the documents that they deploy or take away, and the secrets that they set.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Deployments, TENANT, blocking};
use crate::accept::Shutdown;
use crate::deployment::DeployError;
use crate::log::Field;
use crate::vault::VaultError;

/// What was seen of the store, as far as it was taken over.
#[derive(Default)]
struct Seen {
    /// The number of the last change.
    change: u64,
    /// Whose secrets the signer has.
    owners: BTreeSet<String>,
}

/// Looks after each round of the rotator whether anybody changed the store, until the server goes down. A store that
/// nobody else has needs it not.
pub async fn run(live: Arc<Deployments>, shutdown: Shutdown) {
    if !live.house.vault.store().is_shared() {
        return;
    }
    let mut seen = Seen::default();
    loop {
        let round = live.house.rings.round_ended();
        if let Err(error) = live.follow(&mut seen).await {
            // The rotator tells when the store is away; what is told here is a document that cannot go live.
            live.house.log.warn("not_followed", &[Field::Cause(&error.to_string())]);
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = round => {}
        }
    }
}

impl Deployments {
    async fn follow(self: &Arc<Self>, seen: &mut Seen) -> Result<(), DeployError> {
        let this = Arc::clone(self);
        let last = blocking(move || Ok(this.house.vault.store().last_change()?)).await?;
        if last == seen.change {
            return Ok(());
        }
        let (this, had) = (Arc::clone(self), std::mem::take(&mut seen.owners));
        seen.owners = blocking(move || Ok(this.house.vault.reload_secrets(had)?)).await?;
        self.follow_documents().await?;
        seen.change = last;
        Ok(())
    }

    /// Brings every document to the revision that the store has, and drops those that it has no more. The first that cannot
    /// go live is told; the others are not held up by it.
    async fn follow_documents(self: &Arc<Self>) -> Result<(), DeployError> {
        let _changing = self.changing.lock().await;
        let this = Arc::clone(self);
        let stored = blocking(move || Ok(this.house.vault.store().live_revisions(TENANT)?)).await?;
        let mut outcome = Ok(());
        for (name, revision) in &stored {
            if self.table().documents.iter().any(|entry| entry.listed.is(name, *revision)) {
                continue;
            }
            if let Err(error) = self.follow_document(name).await {
                outcome = Err(error);
            }
        }
        let is_stored = |name: &str| stored.iter().any(|(stored, _)| stored == name);
        let (kept, old): (Vec<_>, Vec<_>) =
            self.table().documents.iter().cloned().partition(|entry| is_stored(&entry.listed.name));
        if !old.is_empty() {
            self.swap(kept, old);
        }
        outcome
    }

    async fn follow_document(self: &Arc<Self>, name: &str) -> Result<(), DeployError> {
        let (this, owned) = (Arc::clone(self), name.to_owned());
        let read = move || Ok::<_, VaultError>(this.house.vault.store().document(TENANT, &owned)?);
        if let Some(document) = blocking(move || Ok(read()?)).await? {
            let ready = self.prepare(name, document.octets.into()).await?;
            self.go_live(name, document.revision, ready);
        }
        Ok(())
    }
}
