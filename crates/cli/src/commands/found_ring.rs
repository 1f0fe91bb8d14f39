//! Key rings as `mint` and `verify` meet them: in the store of the data folder, or with the server that has it open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Method;
use jose::jwa::SignatureAlgorithm;
use jose::jwk::JwkSet;
use serde_json::Value as Json;
use server::control::Client;
use server::rings::{LiveRing, RingRefusal, Rings, SetKind};
use server::routes::ring_tokens::TokenWish;
use server::vault::TENANT;

use super::data;
use super::secret::online::{self, Refusal};
use crate::exit::{ExitCode, Failure};

/// A ring, wherever it is.
pub(super) enum FoundRing {
    /// In a store that nobody serves.
    Stored(StoredRing),
    /// With the server that runs on the folder.
    Served(ServedRing),
}

/// A ring in its store.
pub(super) struct StoredRing {
    /// All rings of the store.
    pub(super) rings: Arc<Rings>,
    /// `tenant/name`.
    pub(super) ring_id: String,
    /// The ring as it is now.
    pub(super) live: Arc<LiveRing>,
}

/// A ring that a running server has.
pub(super) struct ServedRing {
    folder: PathBuf,
    path: String,
    /// `tenant/name`.
    pub(super) ring_id: String,
    /// What it signs with.
    pub(super) algorithm: &'static SignatureAlgorithm,
    public: JwkSet,
}

impl FoundRing {
    /// Finds a ring by its name, or by `tenant/name`: with the server on the folder, else in its store.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let ring_id = if name.contains('/') { name.to_owned() } else { format!("{TENANT}/{name}") };
        match data::running(folder)? {
            Some(client) => ServedRing::find(client, folder, ring_id).map(Self::Served),
            None => StoredRing::open(folder, ring_id).map(Self::Stored),
        }
    }

    /// `tenant/name`.
    pub(super) fn ring_id(&self) -> &str {
        match self {
            Self::Stored(ring) => &ring.ring_id,
            Self::Served(ring) => &ring.ring_id,
        }
    }

    /// What it signs with.
    pub(super) fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::Stored(ring) => ring.live.algorithm,
            Self::Served(ring) => ring.algorithm,
        }
    }

    /// The public keys of this ring that are shown now.
    pub(super) fn public(self) -> Result<JwkSet, Failure> {
        match self {
            Self::Stored(ring) => ring.public(),
            Self::Served(ring) => Ok(ring.public),
        }
    }
}

impl StoredRing {
    fn open(folder: &Path, ring_id: String) -> Result<Self, Failure> {
        let vault = data::open(folder, &data::settings(folder, &[])?)?;
        let rings = Rings::open(Arc::new(vault)).map_err(data::failed)?;
        let (snapshot, _) = rings.snapshot().map_err(|refusal| refused(&refusal))?;
        let live = snapshot.ring(&ring_id).cloned();
        let live = live.ok_or_else(|| {
            let known: Vec<_> = snapshot.rings().map(|ring| ring.rows.ring_id.clone()).collect();
            refused(&RingRefusal::NoRing(ring_id.clone())).hint(format!("The store has {}.", known.join(", ")))
        })?;
        Ok(Self { rings, ring_id, live })
    }

    fn public(&self) -> Result<JwkSet, Failure> {
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

impl ServedRing {
    fn find(client: Client, folder: &Path, ring_id: String) -> Result<Self, Failure> {
        let (tenant, name) = ring_id.split_once('/').unwrap_or((TENANT, &ring_id));
        let path = format!("/rings/{}/{}", online::encoded(tenant), online::encoded(name));
        let told = online::asked(client, &Method::GET, &path, b"")?.map_err(refused_by_server)?;
        let unclear = || Failure::new(ExitCode::Away, "server_away", "the running server is of another version");
        let algorithm =
            told["alg"].as_str().and_then(|alg| SignatureAlgorithm::by_name(alg).ok()).ok_or_else(unclear)?;
        let public = JwkSet::parse(told["jwks"].to_string().as_bytes()).map_err(|_| unclear())?;
        Ok(Self { folder: folder.to_owned(), path, ring_id, algorithm, public })
    }

    /// Has the server make a token.
    pub(super) fn mint(&self, wish: &TokenWish) -> Result<Json, Failure> {
        let stopped = || Failure::new(ExitCode::Away, "server_away", "the server stopped meanwhile");
        let client = data::running(&self.folder)?.ok_or_else(stopped)?;
        let body = serde_json::to_vec(wish).map_err(|error| Failure::new(ExitCode::Internal, "internal", error))?;
        online::asked(client, &Method::POST, &format!("{}/mint", self.path), &body)?.map_err(refused_by_server)
    }
}

/// The names that a server has for refusals of a ring, and what each means for the command.
const REFUSALS: [(&str, ExitCode); 10] = [
    ("no_ring", ExitCode::Missing),
    ("stale_ring", ExitCode::Away),
    ("no_signer", ExitCode::Away),
    ("clock_skew", ExitCode::Away),
    ("horizon_not_stored", ExitCode::Away),
    ("exp_required", ExitCode::Refused),
    ("exp_invalid", ExitCode::Refused),
    ("lifetime_exceeds_ring", ExitCode::Refused),
    ("claims_invalid", ExitCode::Unreadable),
    ("key_failed", ExitCode::Unreadable),
];

fn refused_by_server(refusal: Refusal) -> Failure {
    let known = REFUSALS.iter().find(|(code, _)| *code == refusal.code);
    let (code, exit) = known.copied().unwrap_or(("refused", ExitCode::Away));
    Failure::new(exit, code, refusal.why)
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
