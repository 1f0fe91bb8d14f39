//! Another timing for a ring that is there: what is not named stays, and what hangs on the period is scaled to it.

use keyring::{OverLife, RingPolicy, Span, Time};
use store::By;

use super::spec::STRICT_STALENESS;
use super::{Rings, RingsError};

/// What an operator wants to be different; none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimingWish {
    /// D: how long a generation signs; lead and cache times are scaled to it.
    pub rotation_period: Option<Span>,
    /// L: how long a token may live.
    pub max_lifetime: Option<Span>,
    /// What becomes of a token that asks for more.
    pub over_life: Option<OverLife>,
}

impl Rings {
    /// Gives a ring another timing, which is audited; says what holds then. No removal comes earlier by it (key ring contract,
    /// section 5).
    ///
    /// # Errors
    /// [`RingsError`]; also where a token could be lost under that timing.
    pub fn set_timing(&self, ring_id: &str, wish: TimingWish, by: &By<'_>) -> Result<RingPolicy, RingsError> {
        let (live, _) = self.live(ring_id)?;
        let old = *live.rows.policies.last().ok_or_else(|| RingsError::NoRing(ring_id.to_owned()))?;
        if old.rotation_period.is_none() {
            let why =
                "a static ring has no timing: its keys turn when somebody says so, and its tokens live as they like";
            return Err(RingsError::Refused(why.to_owned()));
        }
        let new = changed(&old, wish, &self.newest().store_policy);
        self.vault().store().change(by, |change| change.set_ring_policy(ring_id, new))?;
        self.refresh()?;
        let (live, _) = self.live(ring_id)?;
        Ok(live.rows.policies.last().copied().unwrap_or(new))
    }
}

fn changed(old: &RingPolicy, wish: TimingWish, store: &keyring::StorePolicy) -> RingPolicy {
    let mut new = *old;
    if let Some(period) = wish.rotation_period {
        let scaled = RingPolicy::with_defaults(Some(period), store, Time::from_us(0));
        // A ring that hears of a revocation within five minutes goes on to.
        let is_strict = old.max_staleness <= STRICT_STALENESS;
        let longest = if is_strict { STRICT_STALENESS } else { scaled.max_staleness };
        new = RingPolicy {
            max_staleness: scaled.max_staleness.min(longest),
            max_lifetime: old.max_lifetime.map(|lifetime| lifetime.min(period)),
            leeway: old.leeway,
            over_life: old.over_life,
            standby: old.standby,
            ..scaled
        };
    }
    RingPolicy {
        max_lifetime: wish.max_lifetime.or(new.max_lifetime),
        over_life: wish.over_life.unwrap_or(new.over_life),
        ..new
    }
}
