//! The invariants of the key ring contract, section 9, that can be seen from here: each breach is counted, and told by the
//! rotator.

use std::sync::atomic::{AtomicU64, Ordering};

use keyring::{EventKind, Time};

use super::{LiveRing, Snapshot};
use crate::metrics::Counter;

/// One of the invariants, by its number in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// I1: no key signs before caches hold it.
    PublishedBeforeUse = 1,
    /// I2: a key is shown until its last token is dead, unless it is revoked.
    Outlives = 2,
    /// I4: a generation keeps its `kid`.
    KidStays = 4,
    /// I5: no `exp` beyond what the key is shown for.
    Ceiling = 5,
    /// I6: created, then started; starts rise along the chain.
    StartsRise = 6,
    /// I15: no private member in a set.
    PublicAlone = 15,
}

/// What the rings count for `/metrics`.
#[derive(Debug, Default)]
pub struct RingMetrics {
    /// Tokens whose `exp` was cut to the ceiling.
    pub exp_cut: Counter,
    violations: [AtomicU64; Invariant::ALL.len()],
}

impl Invariant {
    /// Every one that is asserted.
    pub const ALL: [Self; 6] =
        [Self::PublishedBeforeUse, Self::Outlives, Self::KidStays, Self::Ceiling, Self::StartsRise, Self::PublicAlone];
}

impl RingMetrics {
    /// Counts a breach.
    pub fn violated(&self, invariant: Invariant) {
        let at = Invariant::ALL.iter().position(|known| *known == invariant);
        if let Some(count) = at.and_then(|at| self.violations.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each invariant with the number of its breaches, which must stay 0.
    pub fn violations(&self) -> impl Iterator<Item = (Invariant, u64)> {
        Invariant::ALL.into_iter().zip(self.violations.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

/// What is broken in a snapshot at `t`, as it takes the place of another.
pub(super) fn broken(old: &Snapshot, new: &Snapshot, t: Time) -> Vec<Invariant> {
    let mut found = Vec::new();
    for live in new.rings() {
        let mut unless = |holds: bool, invariant| {
            if !holds {
                found.push(invariant);
            }
        };
        unless(starts_rise(live), Invariant::StartsRise);
        unless(is_published_before_use(live, t), Invariant::PublishedBeforeUse);
        if let Some(before) = old.ring(&live.rows.ring_id) {
            unless(kids_stay(before, live), Invariant::KidStays);
            unless(outlives(before, live, t), Invariant::Outlives);
        }
    }
    if !new.bodies().all(is_public) {
        found.push(Invariant::PublicAlone);
    }
    found
}

fn starts_rise(live: &LiveRing) -> bool {
    let starts = live.rows.generations.iter().map(|row| (row, live.ring.start(row.n)));
    let in_order = |row: &store::GenerationRow, start: Option<Time>| {
        start.is_none_or(|start| row.created_at <= start && start <= row.activate_at)
    };
    let known: Vec<_> = starts.clone().filter_map(|(_, start)| start).collect();
    starts.into_iter().all(|(row, start)| in_order(row, start)) && known.is_sorted()
}

/// The signer, unless it is the first, hastened, or took over from a revoked one.
fn is_published_before_use(live: &LiveRing, t: Time) -> bool {
    let Some(signing) = live.signing.filter(|signing| signing.n > 1) else { return true };
    let Some(row) = live.rows.generations.iter().find(|row| row.n == signing.n) else { return false };
    let excused = live.rows.events.iter().any(|event| match event.kind {
        EventKind::Hastened { .. } => event.n == signing.n,
        EventKind::Revoked => event.n < signing.n,
        EventKind::Horizon { .. } | EventKind::Destroyed => false,
    });
    excused || row.created_at + live.ring.policy(row.created_at).assumed_cache <= t
}

fn kids_stay(before: &LiveRing, live: &LiveRing) -> bool {
    before.rows.generations.iter().zip(&live.rows.generations).all(|(old, new)| (old.n, &old.kid) == (new.n, &new.kid))
}

/// Whatever was to be shown at `t` by the rows before is shown by the rows now, unless it was revoked.
fn outlives(before: &LiveRing, live: &LiveRing, t: Time) -> bool {
    let revoked = |n| live.rows.events.iter().any(|event| event.n == n && event.kind == EventKind::Revoked);
    let shown = live.ring.shown(t);
    before.ring.shown(t).into_iter().all(|n| shown.contains(&n) || revoked(n))
}

/// Scans the octets: the serializer takes public halves alone, and this does not ask it.
fn is_public(body: &[u8]) -> bool {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    private.iter().all(|member| memchr::memmem::find(body, format!("\"{member}\":").as_bytes()).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_is_counted_under_its_number() {
        let metrics = RingMetrics::default();
        metrics.violated(Invariant::Ceiling);
        metrics.violated(Invariant::Ceiling);
        let counted: Vec<_> = metrics.violations().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(Invariant::Ceiling, 2)]);
    }

    #[test]
    fn a_private_member_is_seen_wherever_it_stands() {
        assert!(is_public(br#"{"keys":[{"kty":"OKP","x":"d","kid":"k"}]}"#));
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            let body = format!(r#"{{"keys":[{{"kty":"OKP","{member}":"AAAA"}}]}}"#);
            assert!(!is_public(body.as_bytes()), "{member}");
        }
    }
}
