//! What is done to rings: made, rotated, revoked, brought in and taken out. Everything here blocks.

use std::sync::Arc;

use http::StatusCode;
use jose::PrivateJwk;
use jose::jwa::{SignatureAlgorithm, Switches};
use keyring::Time;
use signer::{Keeper, Place, RingKey, Secret};
use store::{Action, By, Change, Entry, GenerationRow, NewGeneration, Outcome, PrivateHalf, RingRows, key_owner};

use super::spec::{HSM_LABEL, PKCS11, rsa_bits};
use super::{LiveRing, NewRingSpec, Rings};
use crate::vault::{VaultError, to_store};

/// A generation that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its ring.
    pub ring_id: String,
    /// Its row.
    pub row: GenerationRow,
}

/// Why a ring was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RingsError {
    /// There is no such ring.
    #[error("there is no ring {0}; `chancery keys list` shows those that are")]
    NoRing(String),
    /// There is no such generation.
    #[error("no generation of ring {ring_id} is called {name}, by number or kid")]
    NoGeneration {
        /// The ring.
        ring_id: String,
        /// The number or kid that was given.
        name: String,
    },
    /// The ring is shared, and shows nothing of its keys.
    #[error("the private half of {0} is gone or was never here")]
    NoPrivateHalf(String),
    /// What was asked for makes no ring and no key.
    #[error("{0}")]
    Refused(String),
    /// It cannot be said now.
    #[error("{0}")]
    Away(String),
    /// The store or the signer refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl RingsError {
    /// The status and the fixed name of this kind.
    pub fn outcome(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoRing(_) => (StatusCode::NOT_FOUND, "no_ring"),
            Self::NoGeneration { .. } => (StatusCode::NOT_FOUND, "no_generation"),
            Self::NoPrivateHalf(_) => (StatusCode::CONFLICT, "no_private_half"),
            Self::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "key_refused"),
            Self::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "ring_away"),
            Self::Vault(VaultError::Store(error)) if error.is_of_the_caller() => (StatusCode::CONFLICT, error.code()),
            Self::Vault(VaultError::Store(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.code()),
            Self::Vault(VaultError::Signer(error @ signer::Error::Hsm(_))) => {
                (StatusCode::SERVICE_UNAVAILABLE, error.code())
            }
            Self::Vault(VaultError::Signer(error)) => (StatusCode::UNPROCESSABLE_ENTITY, error.code()),
            Self::Vault(VaultError::RolledBack { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "store_rolled_back"),
            Self::Vault(VaultError::Aside { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "aside_failed"),
            Self::Vault(VaultError::NoHsm) => (StatusCode::CONFLICT, "no_hsm"),
            Self::Vault(VaultError::InMemory) => (StatusCode::CONFLICT, "store_in_memory"),
            Self::Vault(VaultError::EpochRegressed) => (StatusCode::SERVICE_UNAVAILABLE, "epoch_regressed"),
        }
    }
}

impl From<store::Error> for RingsError {
    fn from(error: store::Error) -> Self {
        Self::Vault(error.into())
    }
}

impl From<signer::Error> for RingsError {
    fn from(error: signer::Error) -> Self {
        Self::Vault(error.into())
    }
}

impl Rings {
    /// Makes rings, all of them or none, and then their first generations.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn make(&self, specs: &[NewRingSpec], by: &By<'_>) -> Result<Vec<Made>, RingsError> {
        self.declare(specs, by)?;
        self.tend(by)
    }

    /// Makes rings, all of them or none, and leaves their generations to the next [`Self::tend`].
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn declare(&self, specs: &[NewRingSpec], by: &By<'_>) -> Result<(), RingsError> {
        let store_policy = self.newest().store_policy;
        self.vault().store().change(by, |change| {
            for spec in specs {
                change.make_ring(&spec.new_ring(&store_policy))?;
            }
            Ok::<_, store::Error>(())
        })?;
        Ok(self.refresh()?)
    }

    /// Makes every generation that is due and deletes the private halves whose time is over. Whoever does it twice does
    /// it once; of several processes one does it.
    ///
    /// # Errors
    /// [`RingsError`]; what was done before it stays.
    pub fn tend(&self, by: &By<'_>) -> Result<Vec<Made>, RingsError> {
        let mut made = Vec::new();
        if self.clock.has_leapt() {
            return Ok(made);
        }
        loop {
            let Ok((snapshot, t)) = self.snapshot() else { return Ok(made) };
            let due = |live: &&Arc<LiveRing>| live.ring.standby_due_at().is_some_and(|due| due <= t);
            let due: Vec<_> = snapshot.rings().filter(due).cloned().collect();
            let before = made.len();
            let mut outcome = Ok(());
            for done in self.make_at_once(&due, by) {
                // One ring that cannot go on does not hold up the others.
                match done {
                    Ok(one) => made.extend(one),
                    Err(error) => outcome = Err(error),
                }
            }
            let destroyed = self.destroy_what_is_over(&snapshot, t, by)?;
            if !due.is_empty() || destroyed {
                self.refresh()?;
            }
            outcome?;
            if made.len() == before {
                return Ok(made);
            }
        }
    }

    /// Ends the trust in a generation, named by number or kid, and has its successor made. False if it had ended before.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn revoke(&self, ring_id: &str, name: &str, reason: &str, by: &By<'_>) -> Result<bool, RingsError> {
        let (live, _) = self.live(ring_id)?;
        let n = generation(&live.rows, name)?.n;
        let revoked = self.vault().store().change(by, |change| change.revoke(ring_id, n, reason))?;
        self.refresh()?;
        self.tend(by)?;
        Ok(revoked)
    }

    /// Brings a private key in as the next generation of a ring; in a ring that has keys it waits for the lead. With it come
    /// the switches without which it would have been refused: each is audited.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn import(
        &self,
        ring_id: &str,
        private: PrivateJwk,
        switches: Switches,
        by: &By<'_>,
    ) -> Result<(Option<Made>, Switches), RingsError> {
        let (live, _) = self.live(ring_id)?;
        if live.rows.signer == PKCS11 {
            let why = "the ring keeps its keys in a token and makes them there; bring this one into another ring";
            return Err(RingsError::Refused(why.to_owned()));
        }
        let keeper = self.vault().signer().keeper();
        let (key, acted) = RingKey::import(keeper, live.algorithm, private, &live.rows.kid_prefix, switches)?;
        let made = self.store_generation(&live.rows, &key, Origin::Imported(acted), "imported", by)?;
        self.refresh()?;
        Ok((made, acted))
    }

    /// Takes the private half of a generation out, as a JWK; that is audited.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn export(&self, ring_id: &str, name: &str, by: &By<'_>) -> Result<Secret, RingsError> {
        let (live, _) = self.live(ring_id)?;
        let row = generation(&live.rows, name)?;
        let object = format!("key {ring_id}/{}", row.n);
        let secret = self.private_half(&live, row.n)?;
        let (action, outcome) = (Action::KeyExport, Outcome::Done);
        let entry = Entry { action, object: &object, before: None, after: None, outcome };
        self.vault().store().change(by, |change| change.record(&entry))?;
        Ok(secret)
    }

    pub(super) fn live(&self, ring_id: &str) -> Result<(Arc<LiveRing>, Time), RingsError> {
        self.refresh()?;
        let newest = self.newest();
        let live = newest.ring(ring_id).cloned().ok_or_else(|| RingsError::NoRing(ring_id.to_owned()))?;
        let t = self.clock.now(newest.store_policy.clock_error).unwrap_or(newest.epochs.now);
        Ok((live, t))
    }

    /// A generation for each ring, on a thread each: an RSA key takes most of a second.
    fn make_at_once(&self, rings: &[Arc<LiveRing>], by: &By<'_>) -> Vec<Result<Option<Made>, RingsError>> {
        std::thread::scope(|scope| {
            let begin = |live: &Arc<LiveRing>| {
                let rows = live.rows.clone();
                scope.spawn(move || self.make_generation(&rows, "due", by))
            };
            let begun: Vec<_> = rings.iter().map(begin).collect();
            let ended = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err(RingsError::Away("a key could not be made".to_owned())))
            };
            begun.into_iter().map(ended).collect()
        })
    }

    pub(super) fn make_generation(
        &self,
        rows: &RingRows,
        reason: &str,
        by: &By<'_>,
    ) -> Result<Option<Made>, RingsError> {
        let algorithm = SignatureAlgorithm::by_name(&rows.alg)
            .map_err(|error| signer::Error::KeyRefused { why: error.to_string() })?;
        let bits = rsa_bits(&rows.signer);
        if rows.signer != PKCS11 {
            let key = RingKey::generate(self.vault().signer().keeper(), algorithm, bits, &rows.kid_prefix)?;
            return self.store_generation(rows, &key, Origin::Made, reason, by);
        }
        let hsm = self.vault().hsm()?;
        let label = format!("{HSM_LABEL}{}", rows.ring_id);
        let key = RingKey::generate_in(hsm, algorithm, bits, &rows.kid_prefix, &label)?;
        let made = self.store_generation(rows, &key, Origin::Made, reason, by);
        if !matches!(made, Ok(Some(_))) {
            // Another process was faster, or the store refused: what no row names is not to stay in the token.
            key.signer_ref().map_or(Ok(()), |id| hsm.destroy(id)).map_err(signer::Error::from)?;
        }
        made
    }

    /// None if another process made this number first: the key is dropped, and with it wiped.
    fn store_generation(
        &self,
        rows: &RingRows,
        key: &RingKey,
        origin: Origin,
        reason: &str,
        by: &By<'_>,
    ) -> Result<Option<Made>, RingsError> {
        let n = rows.generations.len() as u32 + 1;
        let at = At { ring_id: &rows.ring_id, alg: &rows.alg, signer: &rows.signer, n };
        let keeper = self.vault().signer().keeper();
        let row = self.vault().store().change(by, |change| insert(change, keeper, &at, key, origin, reason))?;
        Ok(row.map(|row| Made { ring_id: rows.ring_id.clone(), row }))
    }

    fn destroy_what_is_over(&self, snapshot: &super::Snapshot, t: Time, by: &By<'_>) -> Result<bool, RingsError> {
        let mut destroyed = false;
        for live in snapshot.rings() {
            for row in live.rows.generations.iter().filter(|row| live.ring.is_destroyable(row.n, t)) {
                let is_new = self.vault().store().change(by, |change| change.destroy(&live.rows.ring_id, row.n))?;
                if let (true, Some(id)) = (is_new, &row.signer_ref) {
                    self.vault().hsm()?.destroy(id).map_err(signer::Error::from)?;
                }
                destroyed |= is_new;
            }
        }
        Ok(destroyed)
    }
}

/// Where a generation goes.
pub(super) struct At<'a> {
    pub(super) ring_id: &'a str,
    pub(super) alg: &'a str,
    pub(super) signer: &'a str,
    pub(super) n: u32,
}

/// Where a key comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// It was made here.
    Made,
    /// It was brought in; these switches opened what is closed by default.
    Imported(Switches),
}

/// Stores a generation with its private half sealed for its place.
pub(super) fn insert(
    change: &mut Change<'_>,
    keeper: &Keeper,
    at: &At<'_>,
    key: &RingKey,
    origin: Origin,
    reason: &str,
) -> Result<Option<GenerationRow>, VaultError> {
    let At { ring_id, alg, signer, n } = *at;
    let owner = key_owner(ring_id, n);
    let place = Place { owner: &owner, ring: ring_id, alg, n, kid: key.kid(), signer };
    let sealed = key.seal(keeper, &place)?.map(to_store);
    let private = match (&sealed, key.signer_ref()) {
        (Some(sealed), _) => PrivateHalf::Sealed(sealed),
        (None, signer_ref) => PrivateHalf::Elsewhere(signer_ref.unwrap_or_default()),
    };
    let public_jwk = key.public_jwk();
    let (kid, thumbprint) = (key.kid(), key.thumbprint());
    let (is_imported, permits) = match origin {
        Origin::Made => (false, Switches::NONE),
        Origin::Imported(acted) => (true, acted),
    };
    let new =
        NewGeneration { ring_id, n, kid, thumbprint, public_jwk: public_jwk.as_deref(), is_imported, private, reason };
    let made = change.make_generation(&new)?;
    for permit in permits.iter().filter(|_| made.is_some()) {
        let object = format!("{permit} for key {ring_id}/{n}");
        let (action, outcome) = (Action::PermitUse, Outcome::Done);
        change.record(&Entry { action, object: &object, before: None, after: None, outcome })?;
    }
    Ok(made)
}

fn generation<'r>(rows: &'r RingRows, name: &str) -> Result<&'r GenerationRow, RingsError> {
    let found = rows.generations.iter().find(|row| row.kid == name || row.n.to_string() == name);
    found.ok_or_else(|| RingsError::NoGeneration { ring_id: rows.ring_id.clone(), name: name.to_owned() })
}
