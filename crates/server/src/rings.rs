//! The key rings of this process: read from the store, held in memory, asked without a word to the database.
//!
//! * [`Rings::refresh`] reads what changed; [`crate::rotator`] calls it all the time.
//! * [`Rings::mint`] signs with whoever signs now, and [`Rings::served`] gives the key set that shows it. Both come out of
//!   one [`Snapshot`], which is made anew at its own next change.
//! * What an operator asks for (`make`, `rotate`, `revoke` and so on) is in `rings/change.rs`.

mod change;
mod clock;
#[cfg(test)]
mod disk_tests;
pub(crate) mod found;
mod invariants;
mod mint;
mod reconcile;
mod refusal;
mod replicas;
mod rotate;
mod shared;
#[cfg(test)]
mod shared_tests;
mod snapshot;
mod spec;
#[cfg(test)]
mod tests;
mod timing;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jose::jwa::SignatureAlgorithm;
use jose::jwk::PublicJwk;
use keyring::{Ring, Span, StorePolicy, Time};
use signer::{OpenKey, Place};
use store::{Epochs, GenerationRow, RingRows, RingWorld, VerifyOnlyRow, key_owner};

pub use change::{Made, RingsError};
pub use clock::{TickSource, Ticks};
pub use invariants::{Invariant, RingMetrics};
pub use mint::{Moment, Pace, RingToken};
pub use reconcile::Reconciled;
pub use refusal::RingRefusal;
pub use rotate::Rotation;
pub use shared::{RingReader, VERIFY_COMMAND};
pub use snapshot::{DYNAMIC_PREFIX, LiveRing, STATIC_PREFIX, ServedSet, SetKind, Snapshot};
pub use spec::{NewRingSpec, RingSigner, Timing, app_ring_id};
pub use timing::TimingWish;

use clock::{DbClock, NoEstimate};
use replicas::Identity;
use snapshot::OpenKeys;

use crate::vault::{Vault, VaultError, to_signer};

/// What a cache may keep a set for that a replica serves without news from its store, in seconds.
const DEGRADED_MAX_AGE: Span = Span::from_secs(30);

/// The rings, shared by everybody who signs with them or shows them.
pub struct Rings {
    vault: Arc<Vault>,
    clock: DbClock,
    current: RwLock<Arc<Snapshot>>,
    /// Held by whoever asks the store what changed.
    refreshing: Mutex<()>,
    /// Held by whoever makes a snapshot, for as long as that takes.
    read: Mutex<Read>,
    /// The boot clock when the store last answered.
    read_at_us: AtomicI64,
    metrics: Arc<RingMetrics>,
    /// Why what is kept beside the store was not written the last time.
    aside_failed: Mutex<Option<String>>,
    identity: Identity,
    /// Told after each round of the rotator.
    pub(crate) rounds: tokio::sync::Notify,
}

/// What snapshots are made of.
#[derive(Clone)]
struct Read {
    world: RingWorld,
    epochs: Epochs,
    open: OpenKeys,
    /// Private halves that did not open: set aside, and told once.
    quarantined: HashMap<(String, u32), String>,
    /// Rings whose first key waits until every replica shows it.
    not_ready: BTreeSet<String>,
    /// Keys that were shown under a number that the store gives to another key by now.
    twins: Vec<VerifyOnlyRow>,
    /// Whether the store said less than before: what it says next is read whole.
    is_regressed: bool,
}

/// How long ago the store answered, against the bounds that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// At most F.
    Fresh,
    /// Beyond F; what lies in memory is used.
    Degraded,
    /// Beyond the T of every ring.
    Stale,
}

/// A key set, and how long it may be kept as fresh as this process is.
#[derive(Clone, Debug)]
pub struct Served {
    /// The set.
    pub set: ServedSet,
    /// How long a cache may keep it; none for an empty set.
    pub max_age: Option<Span>,
    /// Whether this process has no news, so that a cache must not serve it beyond that.
    pub is_degraded: bool,
}

impl Rings {
    /// Reads the rings of a vault. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(vault: Arc<Vault>) -> Result<Arc<Self>, VaultError> {
        Self::with_ticks(vault, Box::new(Ticks::of_the_machine))
    }

    /// The same with clocks of the caller's.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn with_ticks(vault: Arc<Vault>, ticks: TickSource) -> Result<Arc<Self>, VaultError> {
        let world = vault.store().rings()?;
        let epochs = Epochs { now: world.now, of_rings: Vec::new(), verify_only: 0 };
        let open = OpenKeys::default();
        let current = RwLock::new(Arc::new(Snapshot::of(&world, epochs.clone(), Vec::new(), &open, world.now)));
        let (quarantined, twins, not_ready) = (HashMap::new(), Vec::new(), BTreeSet::new());
        let read = Read { world, epochs, open, quarantined, not_ready, twins, is_regressed: false };
        let read = Mutex::new(read);
        let clock = DbClock::new(ticks);
        let read_at_us = AtomicI64::new(clock.ticks().boot_us);
        let (refreshing, aside_failed, metrics) = (Mutex::new(()), Mutex::new(None), Arc::default());
        let identity = Identity::of_this_process(clock.ticks().boot_us);
        let rings = Self {
            vault,
            clock,
            current,
            refreshing,
            read,
            read_at_us,
            metrics,
            aside_failed,
            identity,
            rounds: tokio::sync::Notify::new(),
        };
        let rings = Arc::new(rings);
        rings.refresh()?;
        Ok(rings)
    }

    /// Asks the store what changed, and takes it over. Blocks.
    ///
    /// # Errors
    /// When the store does not answer: what lies in memory goes on. [`VaultError::EpochRegressed`] if it answers with
    /// less than it said before: that is not taken over.
    pub fn refresh(&self) -> Result<(), VaultError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = self.newest().store_policy.clock_error;
        let before = self.clock.ticks();
        let epochs = self.vault.store().epochs()?;
        let after = self.clock.ticks();
        self.clock.measure(epochs.now, before, after, bound);
        // Nobody who signs waits for the store: what is read is put in its place when it is there.
        let mut next = self.reading().clone();
        if has_regressed(&next.epochs, &epochs) {
            self.reading().is_regressed = true;
            return Err(VaultError::EpochRegressed);
        }
        if next.is_regressed || !is_same(&next.epochs, &epochs) {
            let world = self.vault.store().rings()?;
            next.twins.extend(twins(&next.world, &world));
            next.epochs = epochs_of(&world);
            next.world = world;
            next.world.verify_only.extend(next.twins.iter().cloned());
            next.is_regressed = false;
        }
        self.keep_aside(&next.world);
        let t = self.clock.now(bound).unwrap_or(epochs.now);
        if self.vault.store().is_shared() {
            // Without it what another process sealed since is set aside, and told; what is open here goes on.
            let _ = self.vault.learn_keks();
        }
        self.open_keys(&mut next, t)?;
        next.not_ready = self.not_ready(&next, t)?;
        let mut read = self.reading();
        *read = next;
        self.swap(&read, t);
        // A snapshot is as old as it says, however often it is read.
        let age = self.vault.taken_at().map_or(Span::ZERO, |taken_at| epochs.now - taken_at);
        self.read_at_us.store(before.boot_us - age.as_us(), Ordering::Release);
        Ok(())
    }

    /// What holds now. Whoever keeps it goes on with it after a swap.
    ///
    /// # Errors
    /// [`RingRefusal::ClockSkew`] while nobody knows what time it is.
    pub fn snapshot(&self) -> Result<(Arc<Snapshot>, Time), RingRefusal> {
        let current = self.newest();
        let t = self.now(current.store_policy.clock_error)?;
        if t < current.next_change {
            return Ok((current, t));
        }
        let read = self.reading();
        self.swap(&read, t);
        drop(read);
        Ok((self.newest(), t))
    }

    /// The key set of a tenant, as it may be served now; none for a tenant without a ring.
    ///
    /// # Errors
    /// [`RingRefusal::Stale`] beyond T, [`RingRefusal::ClockSkew`].
    pub fn served(&self, tenant: &str, kind: SetKind) -> Result<Option<Served>, RingRefusal> {
        let (snapshot, _) = self.snapshot()?;
        let Some(set) = snapshot.set(tenant, kind) else { return Ok(None) };
        let staleness = self.staleness();
        if staleness > set.max_staleness {
            return Err(RingRefusal::Stale);
        }
        let is_degraded = staleness > snapshot.store_policy.fresh_for;
        let max_age = set.max_age.map(|age| if is_degraded { age.min(DEGRADED_MAX_AGE) } else { age });
        Ok(Some(Served { set: set.clone(), max_age, is_degraded }))
    }

    /// How fresh this process is.
    pub fn freshness(&self) -> Freshness {
        let (newest, staleness) = (self.newest(), self.staleness());
        let longest = newest.rings().map(|ring| ring.max_staleness()).max().unwrap_or(Span::from_us(i64::MAX));
        if staleness <= newest.store_policy.fresh_for {
            Freshness::Fresh
        } else if staleness <= longest {
            Freshness::Degraded
        } else {
            Freshness::Stale
        }
    }

    /// Private halves that did not open, as `ring/n` and why.
    pub fn quarantined(&self) -> Vec<(String, String)> {
        let read = self.reading();
        read.quarantined.iter().map(|((ring_id, n), why)| (format!("{ring_id}/{n}"), why.clone())).collect()
    }

    /// Whether the token that keeps keys refused its PIN: only a restart with another one helps.
    pub fn is_locked_out(&self) -> bool {
        self.vault.hsm().is_ok_and(|hsm| hsm.is_locked_out())
    }

    /// How many tokens had their `exp` cut to the ceiling.
    pub fn exp_cut_count(&self) -> u64 {
        self.metrics.exp_cut.get()
    }

    /// What is counted here.
    pub fn metrics(&self) -> &Arc<RingMetrics> {
        &self.metrics
    }

    /// Why what is kept beside the store could not be written the last time; none if it was.
    pub fn aside_failed(&self) -> Option<String> {
        self.aside_failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the database clock leapt, so that nothing is scheduled until it is back.
    pub fn clock_has_leapt(&self) -> bool {
        self.clock.has_leapt()
    }

    /// How often the epochs are to be read.
    pub fn refresh_every(&self) -> Span {
        self.newest().store_policy.refresh_every
    }

    /// How long ago the store answered.
    pub fn staleness(&self) -> Span {
        Span::from_us(self.clock.ticks().boot_us - self.read_at_us.load(Ordering::Acquire))
    }

    /// The vault that keeps them.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    fn newest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The database clock as far as it is known; a doubtful one is measured anew first.
    fn now(&self, bound: Span) -> Result<Time, RingRefusal> {
        let estimate = self.clock.now(bound).or_else(|doubt| match doubt {
            NoEstimate::Never => Err(doubt),
            NoEstimate::Doubtful => self.refresh().map_err(|_| doubt).and_then(|()| self.clock.now(bound)),
        });
        estimate.map_err(|_| RingRefusal::ClockSkew)
    }

    fn reading(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before anything of it is shown. Service goes on without: the rotator tells.
    fn keep_aside(&self, world: &RingWorld) {
        let failed = self.vault.keep_aside(world).err().map(|error| error.to_string());
        *self.aside_failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    /// Puts a snapshot of these rows in the place of the last one.
    fn swap(&self, read: &Read, t: Time) {
        let rings = arithmetic(&read.world);
        let made = Snapshot::of(&read.world, read.epochs.clone(), rings, &read.open, t);
        let made = made.with_waiting(read.not_ready.clone());
        invariants::broken(&self.newest(), &made, t).into_iter().for_each(|broken| self.metrics.violated(broken));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(made);
    }

    /// Opens the private halves that are needed at `t` and drops those that are not.
    fn open_keys(&self, read: &mut Read, t: Time) -> Result<(), VaultError> {
        let mut needed = OpenKeys::default();
        for (rows, ring) in arithmetic(&read.world) {
            for n in ring.open(t) {
                let name = (rows.ring_id.clone(), n);
                // By its kid, too: a store that lost commits may give the number to another key.
                let is_its_own =
                    |open: &&Arc<OpenKey>| rows.generations.iter().any(|row| row.n == n && row.kid == open.kid());
                let opened = match read.open.get(&name).filter(is_its_own) {
                    Some(open) => Ok(Arc::clone(open)),
                    None => self.open_key(&rows, n)?.map(Arc::new),
                };
                match opened {
                    Ok(open) => drop(needed.insert(name, open)),
                    Err(why) => drop(read.quarantined.insert(name, why)),
                }
            }
        }
        read.open = needed;
        Ok(())
    }

    /// One private half, or why it is set aside.
    fn open_key(&self, rows: &RingRows, n: u32) -> Result<Result<OpenKey, String>, VaultError> {
        let Some(row) = rows.generations.iter().find(|row| row.n == n) else {
            return Ok(Err("its row is missing".to_owned()));
        };
        let Ok(algorithm) = SignatureAlgorithm::by_name(&rows.alg) else {
            return Ok(Err(format!("`{}` is no algorithm that signs", rows.alg)));
        };
        let public = match snapshot::public(row) {
            Ok(public) if row.is_whole => public,
            Ok(_) | Err(()) => return Ok(Err("its row was altered".to_owned())),
        };
        if let Some(id) = &row.signer_ref {
            return Ok(self.key_in_token(id, algorithm, public.as_ref()));
        }
        let owner = key_owner(&rows.ring_id, n);
        let Some(sealed) = self.vault.store().sealed(&owner)? else {
            return Ok(Err("its private half is not in the store".to_owned()));
        };
        let keeper = self.vault.signer().keeper();
        let opened = OpenKey::open(keeper, &place(rows, row, &owner), algorithm, &to_signer(sealed), public.as_ref());
        Ok(opened.map_err(|error| error.to_string()))
    }

    fn key_in_token(
        &self,
        id: &str,
        algorithm: &'static SignatureAlgorithm,
        public: Option<&PublicJwk>,
    ) -> Result<OpenKey, String> {
        let hsm = self.vault.hsm().map_err(|error| error.to_string())?;
        let public = public.ok_or("a key in a token has a public half")?;
        OpenKey::in_token(hsm, id, algorithm, public).map_err(|error| error.to_string())
    }
}

/// Where the private half of a generation lies.
fn place<'a>(rows: &'a RingRows, row: &'a GenerationRow, owner: &'a str) -> Place<'a> {
    Place { owner, ring: &rows.ring_id, alg: &rows.alg, n: row.n, kid: &row.kid, signer: &rows.signer }
}

/// The rings that can be asked, with their rows.
fn arithmetic(world: &RingWorld) -> Vec<(RingRows, Ring)> {
    let policies: &[StorePolicy] = &world.store_policies;
    world.rings.iter().filter_map(|rows| Some((rows.clone(), rows.ring(policies).ok()?))).collect()
}

/// Keys that were shown and whose number is another key's now, for as long as their own tokens may live.
fn twins(old: &RingWorld, new: &RingWorld) -> Vec<VerifyOnlyRow> {
    let mut twins = Vec::new();
    for (rows, ring) in arithmetic(old) {
        let now = new.rings.iter().find(|now| now.ring_id == rows.ring_id);
        let kept = |row: &GenerationRow| {
            now.is_some_and(|now| now.generations.iter().any(|other| other.n == row.n && other.kid == row.kid))
        };
        for row in rows.generations.iter().filter(|row| row.is_whole && !kept(row)) {
            let until = ring.remove_at(row.n).filter(|_| ring.shown(old.now).contains(&row.n));
            let (tenant, public_jwk) = (rows.tenant.clone(), row.public_jwk.clone());
            let twin = public_jwk.zip(until).map(|(public_jwk, until)| VerifyOnlyRow { tenant, public_jwk, until });
            twins.extend(twin);
        }
    }
    twins
}

/// Without the twins, of which the store knows nothing.
fn epochs_of(world: &RingWorld) -> Epochs {
    let of_rings = world.rings.iter().map(|ring| (ring.ring_id.clone(), ring.epoch)).collect();
    Epochs { now: world.now, of_rings, verify_only: world.verify_only.len() as u64 }
}

fn is_same(old: &Epochs, new: &Epochs) -> bool {
    old.of_rings == new.of_rings && old.verify_only == new.verify_only
}

/// Whether the store says less than it said: a ring is gone, or was changed less often.
fn has_regressed(old: &Epochs, new: &Epochs) -> bool {
    let epoch = |ring_id: &str| new.of_rings.iter().find(|(id, _)| id == ring_id).map_or(0, |(_, epoch)| *epoch);
    new.verify_only < old.verify_only || old.of_rings.iter().any(|(ring_id, last)| epoch(ring_id) < *last)
}
