//! The key set that one address shows at an instant (key ring contract, section 8).

use jose::jwk::{JwkSet, PublicJwk};

use crate::{Phase, Ring, Span, Time, Use};

/// The most keys of a set; at the bound no ring makes another generation.
pub const KEYS_MAX: usize = 256;

/// A ring with the public halves of its generations.
#[derive(Clone, Copy, Debug)]
pub struct RingKeys<'a> {
    /// The ring.
    pub ring: &'a Ring,
    /// The public half of generation n at n - 1; none for a shared secret.
    pub public: &'a [Option<PublicJwk>],
}

/// A key that verifies and belongs to no ring any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyOnly {
    /// The key.
    pub public: PublicJwk,
    /// When it leaves the set.
    pub until: Time,
}

/// What is shown at an instant, and for how long that holds.
#[derive(Clone, Debug)]
pub struct KeySet {
    /// Public halves alone: the type has no room for others.
    pub keys: JwkSet,
    /// How long a cache may keep it; none if it is empty.
    pub max_age: Option<Span>,
    /// The first instant at which it, or who signs, changes without a further row; none if none does.
    pub next_change: Option<Time>,
}

impl KeySet {
    /// The set of these rings, in their order, each with its newest generation first, and what only verifies behind them.
    pub fn at(t: Time, rings: &[RingKeys<'_>], verify_only: &[VerifyOnly]) -> Self {
        let of_ring = |keys: &RingKeys<'_>| -> Vec<PublicJwk> {
            let public = |n: u32| keys.public.get(n as usize - 1).cloned().flatten();
            keys.ring.shown(t).into_iter().filter_map(public).collect()
        };
        let mut shown: Vec<PublicJwk> = rings.iter().flat_map(of_ring).collect();
        let lasting = verify_only.iter().filter(|key| t < key.until);
        shown.extend(lasting.clone().map(|key| key.public.clone()));
        let publishing = rings.iter().filter(|keys| keys.ring.use_() != Use::Mac);
        let max_age = publishing.map(|keys| keys.ring.jwks_max_age(t)).min();
        let changes = rings.iter().filter_map(|keys| keys.ring.next_change(t)).chain(lasting.map(|key| key.until));
        let next_change = changes.min();
        let max_age = max_age.filter(|_| !shown.is_empty());
        Self { keys: JwkSet { keys: shown, ..JwkSet::default() }, max_age, next_change }
    }
}

impl Ring {
    /// Whether generation `n` may lose its private half at `t`: it is retired or revoked, and nobody has said that it did.
    pub fn is_destroyable(&self, n: u32, t: Time) -> bool {
        match self.phase(n, t) {
            Some(Phase::Retired | Phase::Revoked) => true,
            Some(Phase::Published | Phase::Active | Phase::Retiring | Phase::Destroyed) | None => false,
        }
    }
}
