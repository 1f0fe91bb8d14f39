//! Minting through a ring (key ring contract, section 7): no statement to the database, unless a token is kept beyond the
//! ceiling for the first time.

use std::cell::Cell;
use std::sync::Arc;

use jose::jws::HeaderPlan;
use keyring::{AskedExp, Expiry, Signing, Time};
use signer::OpenKey;

use super::{Invariant, LiveRing, RingRefusal, Rings, Snapshot};

/// A key may be revoked while it signs, and a horizon may have to be stored first: so often it is tried.
const TRIES_MAX: usize = 4;

/// The instant of a token in the making, and what its ring allows then.
pub struct Moment {
    /// `iat`: whole seconds since 1970 of the database clock.
    pub issued_at_secs: i64,
    signing: Signing,
    horizon: Cell<Option<Time>>,
    is_cut: Cell<bool>,
    /// The `exp` that the token carries.
    exp_secs: Cell<Option<i64>>,
}

/// A token of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingToken {
    /// The compact serialization.
    pub token: String,
    /// The `kid` of the key that signed it.
    pub kid: String,
    /// Whether its `exp` was cut to the ceiling.
    pub exp_cut: bool,
}

/// How long a signature keeps its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It is made on the spot.
    Fast,
    /// It computes so long that it belongs on a thread of its own.
    Slow,
    /// It waits for a token.
    Token,
}

/// What a signature is made with.
struct Ready {
    snapshot: Arc<Snapshot>,
    live: Arc<LiveRing>,
    key: Arc<OpenKey>,
    signing: Signing,
    t: Time,
}

impl Moment {
    /// Decides on the `exp` that the claims would carry, all merged: none if it stays as asked, else the one to write.
    ///
    /// # Errors
    /// [`RingRefusal::Expiry`].
    pub fn expiry(&self, asked: AskedExp) -> Result<Option<i64>, RingRefusal> {
        match self.signing.expiry(self.issued_at_secs, asked)? {
            Expiry::AsAsked => {
                self.exp_secs.set(match asked {
                    AskedExp::At(secs) => Some(secs),
                    AskedExp::Nothing | AskedExp::Invalid => None,
                });
                Ok(None)
            }
            Expiry::Cut { exp_secs } => {
                self.is_cut.set(true);
                self.exp_secs.set(Some(exp_secs));
                Ok(Some(exp_secs))
            }
            Expiry::AfterHorizon { until } => {
                self.horizon.set(Some(until));
                Ok(None)
            }
        }
    }
}

impl Rings {
    /// Signs what `claims` writes, with the key that signs now and under this header. `claims` may be asked more than
    /// once, each time for another instant. Blocks while it signs: see [`Self::pace`].
    ///
    /// # Errors
    /// [`RingRefusal`], its own and those of `claims`.
    pub fn mint(
        &self,
        ring_id: &str,
        header: &HeaderPlan,
        mut claims: impl FnMut(&Moment) -> Result<Vec<u8>, RingRefusal>,
    ) -> Result<RingToken, RingRefusal> {
        for _ in 0..TRIES_MAX {
            let Ready { snapshot, live, key, signing, t } = self.ready(ring_id)?;
            let moment = Moment {
                issued_at_secs: t.whole_secs(),
                signing,
                horizon: Cell::new(None),
                is_cut: Cell::new(false),
                exp_secs: Cell::new(None),
            };
            let claims = claims(&moment)?;
            if let Some(until) = moment.horizon.get() {
                self.keep(&live, signing.n, until)?;
                continue;
            }
            let token = key.mint(&key.header(header)?, &claims)?;
            if self.still_holds(&snapshot, ring_id, signing.n)? {
                let exp_cut = moment.is_cut.get();
                if exp_cut {
                    self.metrics.exp_cut.increment();
                }
                if !self.outlives(ring_id, signing.n, moment.exp_secs.get(), t) {
                    self.metrics.violated(Invariant::Ceiling);
                }
                return Ok(RingToken { token, kid: key.kid().to_owned(), exp_cut });
            }
        }
        Err(RingRefusal::NoSigner)
    }

    /// The keys that verify tokens of a ring now, as the text of a JWK Set.
    ///
    /// # Errors
    /// [`RingRefusal::NoRing`], [`RingRefusal::Stale`], [`RingRefusal::ClockSkew`].
    pub fn public_set(&self, ring_id: &str) -> Result<String, RingRefusal> {
        let (snapshot, t) = self.snapshot()?;
        let live = snapshot.ring(ring_id).ok_or_else(|| RingRefusal::NoRing(ring_id.to_owned()))?;
        if self.staleness() > live.max_staleness() {
            return Err(RingRefusal::Stale);
        }
        Ok(live.public_set(t))
    }

    /// How long a signature of this ring keeps its thread.
    pub fn pace(&self, ring_id: &str) -> Pace {
        match self.newest().ring(ring_id).and_then(|live| live.key.as_ref()) {
            Some(key) if key.is_in_token() => Pace::Token,
            Some(key) if key.is_slow() => Pace::Slow,
            Some(_) | None => Pace::Fast,
        }
    }

    /// The key that signs now, out of the very snapshot that shows it.
    fn ready(&self, ring_id: &str) -> Result<Ready, RingRefusal> {
        let (snapshot, t) = self.snapshot()?;
        let live = snapshot.ring(ring_id).cloned().ok_or_else(|| RingRefusal::NoRing(ring_id.to_owned()))?;
        if self.staleness() > live.max_staleness() {
            return Err(RingRefusal::Stale);
        }
        if snapshot.waits(ring_id, t) {
            return Err(RingRefusal::NotReady);
        }
        let signing = live.signing.ok_or(RingRefusal::NoSigner)?;
        // A key whose row was altered, or that did not sign for its public half, was never opened.
        let key = live.key.clone().ok_or(RingRefusal::NoSigner)?;
        Ok(Ready { snapshot, live, key, signing, t })
    }

    /// Stores the horizon before the token leaves.
    fn keep(&self, live: &LiveRing, n: u32, until: Time) -> Result<(), RingRefusal> {
        let store = self.vault().store();
        let stored = store.change(&store::By::MINT, |change| change.set_horizon(&live.rows.ring_id, n, until));
        stored.map_err(|_| RingRefusal::HorizonNotStored)?;
        self.refresh().map_err(|_| RingRefusal::HorizonNotStored)
    }

    /// I5: whether the key is shown longer than a token with this `exp` lives.
    fn outlives(&self, ring_id: &str, n: u32, exp_secs: Option<i64>, t: Time) -> bool {
        let newest = self.newest();
        let (Some(live), Some(exp_secs)) = (newest.ring(ring_id), exp_secs) else { return true };
        let margin = live.ring.policy(t).leeway + newest.store_policy.clock_error.times(2);
        let exp = Time::from_us(exp_secs.saturating_mul(1_000_000));
        live.ring.remove_at(n).is_none_or(|removed| removed == Time::NEVER || exp + margin <= removed)
    }

    /// Whether the newest snapshot still shows the key, now that the signature is made.
    fn still_holds(&self, signed_in: &Arc<Snapshot>, ring_id: &str, n: u32) -> Result<bool, RingRefusal> {
        let (snapshot, t) = self.snapshot()?;
        if Arc::ptr_eq(signed_in, &snapshot) {
            return Ok(true);
        }
        let Some(live) = snapshot.ring(ring_id) else { return Ok(false) };
        Ok(live.ring.phase(n, t).is_some_and(|phase| match phase {
            keyring::Phase::Published | keyring::Phase::Active | keyring::Phase::Retiring => true,
            keyring::Phase::Retired | keyring::Phase::Revoked | keyring::Phase::Destroyed => false,
        }))
    }
}
