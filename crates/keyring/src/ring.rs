//! A ring: rows that never change, and what they mean at an instant (key ring contract, section 4).
//!
//! A phase is a function of the rows and `t`, the caller's estimate of the database clock. Nothing is stored and
//! nobody has to act at the instant of a switch.

use crate::policy::{RingPolicy, StorePolicy};
use crate::{Span, Time};

/// What the keys of a ring do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Sign, with a pair of keys; the public halves are published.
    Sign,
    /// Authenticate, with a shared secret; nothing is published.
    Mac,
    /// Decrypt, with a pair of keys; the public half of the active one is published.
    Decrypt,
}

/// One key of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number in the ring, from 1.
    pub n: u32,
    /// When its row was stored.
    pub created_at: Time,
    /// When it signs unless something happens; computed once, by [`Ring::activate_at`], and stored.
    pub activate_at: Time,
}

/// What happened to a generation after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It shall sign from `until` on, earlier than planned.
    Hastened {
        /// From when.
        until: Time,
    },
    /// A token that it signed lives until then.
    Horizon {
        /// The token's end.
        until: Time,
    },
    /// It is trusted no longer.
    Revoked,
    /// Its private half is gone.
    Destroyed,
}

/// One event of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The generation.
    pub n: u32,
    /// When the event was stored.
    pub at: Time,
    /// What happened.
    pub kind: EventKind,
}

/// Where a generation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Verifiers may learn of it; it does not sign yet.
    Published,
    /// It signs.
    Active,
    /// It signs no more; its tokens still live.
    Retiring,
    /// None of its tokens lives.
    Retired,
    /// It is trusted no longer.
    Revoked,
    /// Its private half is gone for good.
    Destroyed,
}

impl Phase {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
            Self::Destroyed => "destroyed",
        }
    }
}

/// The rows of one ring.
#[derive(Clone, Debug)]
pub struct Ring {
    use_: Use,
    ring_policies: Vec<RingPolicy>,
    store_policies: Vec<StorePolicy>,
    generations: Vec<Generation>,
    events: Vec<Event>,
}

/// Rows that make no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRows {
    /// There is no version of a timing.
    #[error("the ring has no timing")]
    NoPolicy,
    /// The numbers of the generations are not 1, 2, 3 and so on.
    #[error("generation {n} is missing or there twice")]
    Numbering {
        /// The number.
        n: u32,
    },
    /// An event names a generation that is not there.
    #[error("an event names generation {n}, which is not there")]
    UnknownGeneration {
        /// The number.
        n: u32,
    },
}

/// A generation in the chain, and when it starts to sign.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) generation: Generation,
    pub(crate) start: Time,
}

/// How long a key is needed: the last `exp` of its tokens, and what is waited for behind it.
struct End {
    last_exp: Time,
    /// V and twice S.
    leeway: Span,
    /// A, which only decryption waits for.
    cache: Span,
}

impl End {
    const NEVER: Self = Self { last_exp: Time::NEVER, leeway: Span::ZERO, cache: Span::ZERO };
}

impl Ring {
    /// Takes the rows in any order.
    ///
    /// # Errors
    /// [`BadRows`] if there is no timing, or numbers are missing, repeated or named without being there.
    pub fn new(
        use_: Use,
        mut ring_policies: Vec<RingPolicy>,
        mut store_policies: Vec<StorePolicy>,
        mut generations: Vec<Generation>,
        mut events: Vec<Event>,
    ) -> Result<Self, BadRows> {
        if ring_policies.is_empty() || store_policies.is_empty() {
            return Err(BadRows::NoPolicy);
        }
        ring_policies.sort_by_key(|policy| policy.created_at);
        store_policies.sort_by_key(|policy| policy.created_at);
        generations.sort_by_key(|generation| generation.n);
        events.sort_by_key(|event| event.at);
        if let Some((n, _)) = (1..).zip(&generations).find(|(n, generation)| *n != generation.n) {
            return Err(BadRows::Numbering { n });
        }
        let known = 1..=generations.len() as u32;
        if let Some(event) = events.iter().find(|event| !known.contains(&event.n)) {
            return Err(BadRows::UnknownGeneration { n: event.n });
        }
        Ok(Self { use_, ring_policies, store_policies, generations, events })
    }

    /// What the keys of this ring do.
    pub fn use_(&self) -> Use {
        self.use_
    }

    /// The version of the timing that is in force at `t`; the first one before there was any.
    pub fn policy(&self, t: Time) -> &RingPolicy {
        self.policy_at(t)
    }

    /// The generations, by number.
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    /// The generation that signs at `t`: the last that has started, unless it is revoked by then.
    pub fn signer(&self, t: Time) -> Option<&Generation> {
        let last = self.chain().into_iter().rev().find(|link| link.start <= t)?;
        if self.revoked_at(last.generation.n).is_some_and(|revoked_at| revoked_at <= t) {
            return None;
        }
        self.generations.get(last.generation.n as usize - 1)
    }

    /// Where generation `n` stands at `t`; none before it was made.
    pub fn phase(&self, n: u32, t: Time) -> Option<Phase> {
        let generation = self.generations.iter().find(|generation| generation.n == n)?;
        if t < generation.created_at {
            return None;
        }
        if self.events_of(n).any(|event| event.kind == EventKind::Destroyed && event.at <= t) {
            return Some(Phase::Destroyed);
        }
        if self.revoked_at(n).is_some_and(|revoked_at| revoked_at <= t) {
            return Some(Phase::Revoked);
        }
        let chain = self.chain();
        let Some(place) = chain.iter().position(|link| link.generation.n == n) else {
            // Revoked before its start, but not by `t`.
            return Some(Phase::Published);
        };
        let successor_start = chain.get(place + 1).map_or(Time::NEVER, |next| next.start);
        Some(if t < chain[place].start {
            Phase::Published
        } else if t < successor_start {
            Phase::Active
        } else if t < self.remove_link_at(&chain, place) {
            Phase::Retiring
        } else {
            Phase::Retired
        })
    }

    /// The generations whose public halves the key set shows at `t`, the newest first.
    pub fn shown(&self, t: Time) -> Vec<u32> {
        let shows = |phase| match self.use_ {
            Use::Sign => matches!(phase, Phase::Published | Phase::Active | Phase::Retiring),
            Use::Decrypt => phase == Phase::Active,
            Use::Mac => false,
        };
        self.numbers_where(t, shows)
    }

    /// The generations whose private halves lie open in memory at `t`, the newest first.
    pub fn open(&self, t: Time) -> Vec<u32> {
        let opens = |phase| match phase {
            Phase::Published | Phase::Active => true,
            Phase::Retiring => self.use_ != Use::Sign,
            Phase::Retired | Phase::Revoked | Phase::Destroyed => false,
        };
        self.numbers_where(t, opens)
    }

    /// When generation `n` starts to sign; none if it is revoked before it would.
    pub fn start(&self, n: u32) -> Option<Time> {
        self.chain().iter().find(|link| link.generation.n == n).map(|link| link.start)
    }

    /// When the last token of generation `n` is dead for every verifier; [`Time::NEVER`] while it has no successor,
    /// and in a static ring. None if it is revoked before its start.
    pub fn remove_at(&self, n: u32) -> Option<Time> {
        let chain = self.chain();
        let place = chain.iter().position(|link| link.generation.n == n)?;
        Some(self.remove_link_at(&chain, place))
    }

    /// The first instant after `t` at which anything that is computed here changes without a further row; none if none
    /// does.
    pub fn next_change(&self, t: Time) -> Option<Time> {
        let chain = self.chain();
        let removals = (0..chain.len()).map(|place| self.remove_link_at(&chain, place));
        let starts = chain.iter().map(|link| link.start);
        let made = self.generations.iter().map(|generation| generation.created_at);
        let events = self.events.iter().map(|event| event.at);
        let timings = self
            .versions()
            .flat_map(|(policy, replaced_at)| [policy.created_at, self.forgotten_at(policy, replaced_at)]);
        removals.chain(starts).chain(made).chain(events).chain(timings).filter(|at| *at > t && *at < Time::NEVER).min()
    }

    /// When a generation stored at `created_at` as the next one signs: to be stored with it.
    pub fn activate_at(&self, created_at: Time) -> Time {
        let Some(last) = self.chain().last().copied() else {
            return created_at;
        };
        let led = created_at + self.lead(created_at);
        match self.policy_at(created_at).rotation_period {
            Some(period) => led.max(last.start + period),
            None => led,
        }
    }

    fn numbers_where(&self, t: Time, wanted: impl Fn(Phase) -> bool) -> Vec<u32> {
        let numbers = self.generations.iter().rev().map(|generation| generation.n);
        numbers.filter(|n| self.phase(*n, t).is_some_and(&wanted)).collect()
    }

    /// The generations in order, without those revoked before their start.
    pub(crate) fn chain(&self) -> Vec<Link> {
        let mut chain: Vec<Link> = Vec::with_capacity(self.generations.len());
        for generation in &self.generations {
            let start = self.start_after(generation, chain.last());
            if self.revoked_at(generation.n).is_none_or(|revoked_at| revoked_at >= start) {
                chain.push(Link { generation: *generation, start });
            }
        }
        chain
    }

    fn start_after(&self, generation: &Generation, predecessor: Option<&Link>) -> Time {
        let hastened = self.events_of(generation.n).filter_map(|event| match event.kind {
            EventKind::Hastened { until } => Some(until),
            EventKind::Horizon { .. } | EventKind::Revoked | EventKind::Destroyed => None,
        });
        let relieved = predecessor
            .and_then(|predecessor| self.revoked_at(predecessor.generation.n))
            .map(|revoked_at| revoked_at.max(generation.created_at));
        hastened.chain(relieved).fold(generation.activate_at, Time::min)
    }

    fn remove_link_at(&self, chain: &[Link], place: usize) -> Time {
        let end = self.end(chain, place);
        let removed = end.last_exp + end.leeway;
        if self.use_ == Use::Decrypt { removed + end.cache } else { removed }
    }

    /// The latest `exp` that the key may sign and be published long enough for.
    pub(crate) fn last_exp(&self, chain: &[Link], place: usize) -> Time {
        self.end(chain, place).last_exp
    }

    fn end(&self, chain: &[Link], place: usize) -> End {
        let link = &chain[place];
        let Some(handover) = chain.get(place + 1).map(|successor| self.handover(successor)) else {
            return End::NEVER;
        };
        let (mut lifetime, mut leeway, mut cache) = (Span::ZERO, Span::ZERO, Span::ZERO);
        for policy in self.policies_within(link.start, handover) {
            let Some(own) = policy.max_lifetime else {
                return End::NEVER;
            };
            lifetime = lifetime.max(own);
            leeway = leeway.max(policy.leeway);
            cache = cache.max(policy.assumed_cache);
        }
        let last_exp = self.horizon(link.generation.n).map_or(handover + lifetime, |end| end.max(handover + lifetime));
        End { last_exp, leeway: leeway + self.clock_error().times(2), cache }
    }

    /// When the last replica signs with the key of `successor` instead of the one before it.
    fn handover(&self, successor: &Link) -> Time {
        let fixed_at = self.fixed_at(&successor.generation);
        let staleness = self.policies_within(fixed_at, fixed_at).map(|policy| policy.max_staleness).max();
        let hold = staleness.unwrap_or_default() + self.write_window();
        successor.start.max(fixed_at + hold)
    }

    /// When it was last decided when the generation starts.
    fn fixed_at(&self, generation: &Generation) -> Time {
        let hastened = self.events_of(generation.n).filter(|event| matches!(event.kind, EventKind::Hastened { .. }));
        hastened.map(|event| event.at).fold(generation.created_at, Time::max)
    }

    pub(crate) fn horizon(&self, n: u32) -> Option<Time> {
        let horizons = self.events_of(n).filter_map(|event| match event.kind {
            EventKind::Horizon { until } => Some(until),
            EventKind::Hastened { .. } | EventKind::Revoked | EventKind::Destroyed => None,
        });
        horizons.max()
    }

    pub(crate) fn revoked_at(&self, n: u32) -> Option<Time> {
        self.events_of(n).find(|event| event.kind == EventKind::Revoked).map(|event| event.at)
    }

    fn events_of(&self, n: u32) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.n == n)
    }

    pub(crate) fn lead(&self, created_at: Time) -> Span {
        let counting = self.policies_within(created_at, created_at);
        counting.map(|policy| policy.publish_lead).max().unwrap_or_default()
    }

    /// The version in force at `t`, the first one before that.
    pub(crate) fn policy_at(&self, t: Time) -> &RingPolicy {
        self.ring_policies.iter().rev().find(|policy| policy.created_at <= t).unwrap_or(&self.ring_policies[0])
    }

    /// The versions that count somewhere in `[from, to]`: each from its creation until its own T after the next one's,
    /// since until then a replica may act on it.
    pub(crate) fn policies_within(&self, from: Time, to: Time) -> impl Iterator<Item = &RingPolicy> {
        self.versions().filter_map(move |(policy, replaced_at)| {
            let counts_until = replaced_at + policy.max_staleness;
            (policy.created_at <= to && from < counts_until).then_some(policy)
        })
    }

    /// Every version of the timing, the oldest first, with the instant at which the next one took its place.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&RingPolicy, Time)> {
        self.ring_policies.iter().enumerate().map(|(place, policy)| {
            (policy, self.ring_policies.get(place + 1).map_or(Time::NEVER, |next| next.created_at))
        })
    }

    /// When no replica acts any more on rows in which this version was the newest.
    pub(crate) fn forgotten_at(&self, policy: &RingPolicy, replaced_at: Time) -> Time {
        replaced_at + policy.max_staleness + self.write_window() + self.clock_error().times(2)
    }

    /// The newest version of the timing.
    pub(crate) fn newest_policy(&self) -> &RingPolicy {
        self.ring_policies.last().expect("a ring is made of at least one version")
    }

    /// The greatest F that ever held.
    pub(crate) fn fresh_for(&self) -> Span {
        self.store_policies.iter().map(|policy| policy.fresh_for).max().unwrap_or_default()
    }

    /// The greatest S that ever held: no change of it brings a removal forward.
    pub(crate) fn clock_error(&self) -> Span {
        self.store_policies.iter().map(|policy| policy.clock_error).max().unwrap_or_default()
    }

    /// The greatest X that ever held, for the same reason.
    pub(crate) fn write_window(&self) -> Span {
        self.store_policies.iter().map(|policy| policy.write_window).max().unwrap_or_default()
    }
}
