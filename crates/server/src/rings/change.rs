//! What is done to rings: made, rotated, revoked, brought in and taken out. Everything here blocks.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jose::jwa::{SignatureAlgorithm, SignatureFamily};
use jose::{PrivateJwk, RsaBits};
use keyring::{OverLife, RingPolicy, Span, Standby, StorePolicy, Time, Use};
use signer::{Keeper, Place, RingKey, Secret};
use store::{By, Change, GenerationRow, NewGeneration, NewRing, RingRows, key_owner};

use super::{LiveRing, Rings, place};
use crate::settings::CoreSettings;
use crate::vault::{VaultError, to_signer, to_store};

/// The signer that keeps keys in this process, with RSA keys of 3 072 bits.
const SOFTWARE: &str = "software";
/// The same with RSA keys of 2 048 bits, as SuperTokens' clients know them.
const SOFTWARE_2048: &str = "software-2048";
/// D where nothing else is said.
const ROTATION_PERIOD: Span = Span::from_secs(7 * 86_400);
/// The life that a `d-` key waits for after it stopped, V and twice S left out (docs/contracts/supertokens.md B-4).
const DYNAMIC_LIFETIME: Span = Span::from_secs(7_200);

/// A ring to be made.
#[derive(Clone, Debug)]
pub struct NewRingSpec {
    /// Whose it is.
    pub tenant: String,
    /// Its name among its tenant's.
    pub name: String,
    /// The algorithm that it signs with.
    pub algorithm: &'static SignatureAlgorithm,
    /// What the kid of each generation begins with.
    pub kid_prefix: &'static str,
    /// The timing; none for the defaults of a ring that rotates.
    pub timing: Timing,
    /// Whether RSA keys have 2 048 bits in place of 3 072.
    pub is_rsa_2048: bool,
}

/// The timing of a new ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// A generation every so often, everything else scaled to it.
    Rotating(Span),
    /// Generations only when an operator says so; tokens live as long as they like.
    Static,
    /// As SuperTokens' dynamic keys, a generation every so often: long tokens are kept, and one key stands there while the
    /// ring is new.
    Dynamic(Span),
}

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
            Self::Vault(VaultError::Signer(error)) => (StatusCode::UNPROCESSABLE_ENTITY, error.code()),
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

impl NewRingSpec {
    /// The rings of a new store: three for everybody, and the two of SuperTokens' `public` app, whose dynamic key signs so
    /// long.
    pub fn of_a_new_store(dynamic_period: Duration) -> Vec<Self> {
        let plain = |name: &str, alg| Self {
            tenant: crate::vault::TENANT.to_owned(),
            name: name.to_owned(),
            algorithm: row(alg),
            kid_prefix: "",
            timing: Timing::Rotating(ROTATION_PERIOD),
            is_rsa_2048: false,
        };
        let mut rings = vec![plain("es256", "ES256"), plain("rs256", "RS256"), plain("eddsa", "EdDSA")];
        rings.extend(Self::of_an_app(crate::vault::TENANT, row("RS256"), dynamic_period));
        rings
    }

    /// The static and the dynamic ring of a SuperTokens app, for one algorithm; a dynamic key signs so long.
    pub fn of_an_app(app: &str, algorithm: &'static SignatureAlgorithm, dynamic_period: Duration) -> [Self; 2] {
        let ring = |kid_prefix: &'static str, timing| Self {
            tenant: app.to_owned(),
            name: app_ring_name(kid_prefix, algorithm),
            algorithm,
            kid_prefix,
            timing,
            is_rsa_2048: true,
        };
        [
            ring(super::STATIC_PREFIX, Timing::Static),
            ring(
                super::DYNAMIC_PREFIX,
                Timing::Dynamic(Span::from_secs(i64::try_from(dynamic_period.as_secs()).unwrap_or(i64::MAX))),
            ),
        ]
    }

    /// The rings of every app of these settings, for each of its algorithms.
    pub fn of_apps(core: &CoreSettings) -> Vec<Self> {
        let of_app = |app| {
            let period = core.rotation_period_of(app);
            core.algorithms_of(app).into_iter().flat_map(move |row| Self::of_an_app(app, row, period))
        };
        core.app_names().flat_map(of_app).collect()
    }

    /// The id that the ring has, or will have.
    pub fn ring_id(&self) -> String {
        format!("{}/{}", self.tenant, self.name)
    }

    /// The ring as the store takes it.
    pub(super) fn new_ring(&self, store: &StorePolicy) -> NewRing<'_> {
        NewRing {
            tenant: &self.tenant,
            name: &self.name,
            use_: use_of(self.algorithm),
            alg: self.algorithm.name,
            kid_prefix: self.kid_prefix,
            signer: if self.is_rsa_2048 { SOFTWARE_2048 } else { SOFTWARE },
            policy: self.policy(store),
        }
    }

    fn policy(&self, store: &StorePolicy) -> RingPolicy {
        let defaults = |period| RingPolicy::with_defaults(period, store, Time::from_us(0));
        match self.timing {
            Timing::Rotating(period) => defaults(Some(period)),
            Timing::Static => defaults(None),
            Timing::Dynamic(period) => {
                let policy = defaults(Some(period));
                let lifetime = (DYNAMIC_LIFETIME - policy.leeway - store.clock_error.times(2)).min(period);
                let (over_life, standby) = (OverLife::Keep, Standby::AtLead);
                RingPolicy { max_lifetime: Some(lifetime), over_life, standby, ..policy }
            }
        }
    }
}

/// The name of a SuperTokens app's ring for one kind of key and one algorithm.
fn app_ring_name(kid_prefix: &str, algorithm: &SignatureAlgorithm) -> String {
    format!("{kid_prefix}{}", algorithm.name.to_ascii_lowercase())
}

/// The id of that ring.
pub fn app_ring_id(app: &str, kid_prefix: &str, algorithm: &SignatureAlgorithm) -> String {
    format!("{app}/{}", app_ring_name(kid_prefix, algorithm))
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

    /// Brings a private key in as the next generation of a ring; in a ring that has keys it waits for the lead.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn import(&self, ring_id: &str, private: PrivateJwk, by: &By<'_>) -> Result<Option<Made>, RingsError> {
        let (live, _) = self.live(ring_id)?;
        let keeper = self.vault().signer().keeper();
        let key = RingKey::import(keeper, live.algorithm, private, &live.rows.kid_prefix)?;
        let made = self.store_generation(&live.rows, &key, true, "imported", by)?;
        self.refresh()?;
        Ok(made)
    }

    /// Takes the private half of a generation out, as a JWK; that is audited.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn export(&self, ring_id: &str, name: &str, by: &By<'_>) -> Result<Secret, RingsError> {
        let (live, _) = self.live(ring_id)?;
        let row = generation(&live.rows, name)?;
        let owner = key_owner(ring_id, row.n);
        let object = format!("key {ring_id}/{}", row.n);
        let sealed = self.vault().store().sealed(&owner)?;
        let sealed = sealed.ok_or_else(|| RingsError::NoPrivateHalf(object.clone()))?;
        let keeper = self.vault().signer().keeper();
        let secret = signer::export(keeper, &place(&live.rows, row, &owner), &to_signer(sealed))?;
        let (action, outcome) = (store::Action::KeyExport, store::Outcome::Done);
        let entry = store::Entry { action, object: &object, before: None, after: None, outcome };
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
        let key = RingKey::generate(self.vault().signer().keeper(), algorithm, bits, &rows.kid_prefix)?;
        self.store_generation(rows, &key, false, reason, by)
    }

    /// None if another process made this number first: the key is dropped, and with it wiped.
    fn store_generation(
        &self,
        rows: &RingRows,
        key: &RingKey,
        is_imported: bool,
        reason: &str,
        by: &By<'_>,
    ) -> Result<Option<Made>, RingsError> {
        let n = rows.generations.len() as u32 + 1;
        let at = At { ring_id: &rows.ring_id, alg: &rows.alg, signer: &rows.signer, n };
        let keeper = self.vault().signer().keeper();
        let row = self.vault().store().change(by, |change| insert(change, keeper, &at, key, is_imported, reason))?;
        Ok(row.map(|row| Made { ring_id: rows.ring_id.clone(), row }))
    }

    fn destroy_what_is_over(&self, snapshot: &super::Snapshot, t: Time, by: &By<'_>) -> Result<bool, RingsError> {
        let mut destroyed = false;
        for live in snapshot.rings() {
            for row in live.rows.generations.iter().filter(|row| live.ring.is_destroyable(row.n, t)) {
                destroyed |= self.vault().store().change(by, |change| change.destroy(&live.rows.ring_id, row.n))?;
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

/// Stores a generation with its private half sealed for its place.
pub(super) fn insert(
    change: &mut Change<'_>,
    keeper: &Keeper,
    at: &At<'_>,
    key: &RingKey,
    is_imported: bool,
    reason: &str,
) -> Result<Option<GenerationRow>, VaultError> {
    let At { ring_id, alg, signer, n } = *at;
    let owner = key_owner(ring_id, n);
    let place = Place { owner: &owner, ring: ring_id, alg, n, kid: key.kid(), signer };
    let sealed = to_store(key.seal(keeper, &place)?);
    let public_jwk = key.public_jwk();
    let (kid, thumbprint) = (key.kid(), key.thumbprint());
    let new = NewGeneration {
        ring_id,
        n,
        kid,
        thumbprint,
        public_jwk: public_jwk.as_deref(),
        is_imported,
        sealed: &sealed,
        reason,
    };
    Ok(change.make_generation(&new)?)
}

/// How long the RSA keys of this signer are.
pub(super) fn rsa_bits(signer: &str) -> RsaBits {
    if signer == SOFTWARE_2048 { RsaBits::Bits2048 } else { RsaBits::Bits3072 }
}

fn generation<'r>(rows: &'r RingRows, name: &str) -> Result<&'r GenerationRow, RingsError> {
    let found = rows.generations.iter().find(|row| row.kid == name || row.n.to_string() == name);
    found.ok_or_else(|| RingsError::NoGeneration { ring_id: rows.ring_id.clone(), name: name.to_owned() })
}

fn use_of(algorithm: &SignatureAlgorithm) -> Use {
    if matches!(algorithm.family, SignatureFamily::Hmac(_)) { Use::Mac } else { Use::Sign }
}

fn row(alg: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(alg).expect("the table has the algorithms that every house has")
}
