//! What a ring waits for: the next generation to be made, and a standby that shall sign earlier than planned.

use crate::policy::Standby;
use crate::{Ring, Span, Time};

/// How long a standby may be missing before somebody is told (key ring contract, invariant I7).
pub const OVERDUE_AFTER: Span = Span::from_secs(300);

/// A standby that shall sign earlier: to be stored as a `hastened` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Haste {
    /// The generation.
    pub n: u32,
    /// From when it signs.
    pub until: Time,
}

impl Ring {
    /// When the next generation is to be made; it may lie behind. None in a static ring, whose generations an operator
    /// makes, unless its last key was revoked and nothing is left to sign with.
    pub fn standby_due_at(&self) -> Option<Time> {
        let chain = self.chain();
        let Some(last) = chain.last() else {
            return Some(Time::from_us(i64::MIN));
        };
        if let Some(revoked_at) = self.revoked_at(last.generation.n) {
            return Some(revoked_at);
        }
        let newest = self.newest_policy();
        let period = newest.rotation_period?;
        Some(match newest.standby {
            Standby::AtOnce => last.start,
            Standby::AtLead => last.start + (period - newest.publish_lead),
        })
    }

    /// Whether a standby should have been there for [`OVERDUE_AFTER`]: the signer goes on, but beyond its period.
    pub fn is_overdue(&self, t: Time) -> bool {
        let newest = self.newest_policy();
        let chain = self.chain();
        let Some((last, period)) = chain.last().zip(newest.rotation_period) else {
            return false;
        };
        last.start + (period - newest.publish_lead) + OVERDUE_AFTER < t
    }

    /// The generation that signs after the one that does at `t`, and when it starts.
    pub fn standby(&self, t: Time) -> Option<(u32, Time)> {
        let chain = self.chain();
        let next = chain.iter().find(|link| link.start > t && link.generation.created_at <= t)?;
        Some((next.generation.n, next.start))
    }

    /// How early the standby may sign if that is wanted at `t`: at once if caches hold it, else when they do. None if
    /// there is no standby.
    pub fn rotate_now(&self, t: Time) -> Option<Haste> {
        let (n, start) = self.standby(t)?;
        let created_at = self.generations().iter().find(|generation| generation.n == n)?.created_at;
        let caches = self.policies_within(created_at, t).map(|policy| policy.assumed_cache).max().unwrap_or_default();
        let known = caches + self.fresh_for() + self.clock_error().times(2);
        let until = t.max(created_at + self.lead(created_at).min(known));
        Some(Haste { n, until: until.min(start) })
    }
}
