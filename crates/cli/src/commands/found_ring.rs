//! Key rings as `mint` and `verify` meet them: in the store of the data folder.

use std::path::Path;
use std::sync::Arc;

use jose::jwk::JwkSet;
use server::rings::{LiveRing, RingRefusal, Rings, SetKind};
use server::vault::TENANT;

use super::data;
use crate::exit::{ExitCode, Failure};

/// A ring in its store.
pub(super) struct FoundRing {
    /// All rings of the store.
    pub(super) rings: Arc<Rings>,
    /// `tenant/name`.
    pub(super) ring_id: String,
    /// The ring as it is now.
    pub(super) live: Arc<LiveRing>,
}

impl FoundRing {
    /// Opens the store and finds a ring by its name, or by `tenant/name`. No server may run on the folder.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        if data::running(folder)?.is_some() {
            return Err(Failure::new(
                ExitCode::Away,
                "server_runs",
                "a server has this store open, and its rings with it",
            )
            .hint("Ask the server for the token, or stop it first."));
        }
        let vault = data::open(folder, &data::settings(folder, &[])?)?;
        let rings = Rings::open(Arc::new(vault)).map_err(data::failed)?;
        let ring_id = if name.contains('/') { name.to_owned() } else { format!("{TENANT}/{name}") };
        let (snapshot, _) = rings.snapshot().map_err(|refusal| refused(&refusal))?;
        let live = snapshot.ring(&ring_id).cloned();
        let live = live.ok_or_else(|| {
            let known: Vec<_> = snapshot.rings().map(|ring| ring.rows.ring_id.clone()).collect();
            refused(&RingRefusal::NoRing(ring_id.clone())).hint(format!("The store has {}.", known.join(", ")))
        })?;
        Ok(Self { rings, ring_id, live })
    }

    /// The public keys of this ring that the store shows now.
    pub(super) fn public(&self) -> Result<JwkSet, Failure> {
        let served =
            self.rings.served(&self.live.rows.tenant, SetKind::Runtime).map_err(|refusal| refused(&refusal))?;
        let mut set = match served {
            Some(served) => JwkSet::parse(&served.set.body).map_err(|error| super::key::refused(&error))?,
            None => JwkSet::default(),
        };
        let is_ours = |kid: &str| self.live.rows.generations.iter().any(|row| row.kid == kid);
        set.keys.retain(|key| key.parameters.kid.as_deref().is_some_and(is_ours));
        Ok(set)
    }
}

/// What a refusal of a ring means for the command.
pub(super) fn refused(refusal: &RingRefusal) -> Failure {
    let exit = match refusal {
        RingRefusal::NoRing(_) => ExitCode::Missing,
        RingRefusal::Stale
        | RingRefusal::NoSigner
        | RingRefusal::NotReady
        | RingRefusal::ClockSkew
        | RingRefusal::HorizonNotStored
        | RingRefusal::Hsm(_) => ExitCode::Away,
        RingRefusal::Expiry(_) => ExitCode::Refused,
        RingRefusal::Claims(_) | RingRefusal::Key(_) => ExitCode::Unreadable,
    };
    Failure::new(exit, refusal.code(), refusal)
}
