//! One world: its store, replicas, verifiers, operators and accidents, for ten rotations.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use keyring::{AskedExp, EventKind, Expiry, OverLife, Phase, Ring, Span, Standby, Time};

use crate::Mutant;
use crate::helper::{policy, secs, store_policy};
use crate::random::Random;
use crate::store::Store;

const SECOND: i64 = 1_000_000;
/// How long a world lasts, in seconds.
const LASTS_SECS: i64 = 600;
/// The lives of the mutants that know no ceiling, in seconds.
const UNCAPPED: [(Mutant, i64); 2] = [(Mutant::TwiceL, 20), (Mutant::Month, 300)];
const REPLICAS: usize = 3;
const VERIFIERS: usize = 8;
/// More generations than a world lives to see.
const GENERATIONS: usize = 64;

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) minted: usize,
    pub(crate) checked: usize,
    pub(crate) lost: usize,
    pub(crate) rotations: usize,
    pub(crate) hastened: usize,
    pub(crate) revoked: usize,
    pub(crate) refused_stale: usize,
    pub(crate) kept: usize,
    pub(crate) cut: usize,
    /// How often an invariant of section 9 did not hold: I1, I3, I4 and I5.
    pub(crate) broken: [usize; 4],
}

struct Replica {
    /// How wrong its estimate of the database clock is; at most S.
    error: Span,
    known: Ring,
    read_at: Time,
    next_poll: Time,
    cut_off_until: Time,
    /// When it last served a set without each generation.
    last_without: [Time; GENERATIONS],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Keeps a set as long as it says, and fetches anew for a kid that it does not know.
    Honest,
    /// Keeps a set for a time of its own.
    FixedTime,
    /// Keeps a set as long as it says, and never fetches in between.
    NoRefetch,
    /// The same, with a clock that is behind by the leeway.
    Behind,
}

struct Verifier {
    kind: Kind,
    set: Option<(Time, Span, Vec<u32>)>,
}

struct Token {
    n: u32,
    /// It was signed by a key that had to sign before caches could hold it: the price of haste.
    is_hasty: bool,
}

pub(crate) struct World {
    mutant: Mutant,
    random: Random,
    now: Time,
    end: Time,
    store: Store,
    store_away_until: Time,
    replicas: Vec<Replica>,
    verifiers: Vec<Verifier>,
    tokens: Vec<Token>,
    checks: BinaryHeap<Reverse<(Time, usize, usize)>>,
    outcome: Outcome,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: Self) {
        self.minted += other.minted;
        self.checked += other.checked;
        self.lost += other.lost;
        self.rotations += other.rotations;
        self.hastened += other.hastened;
        self.revoked += other.revoked;
        self.refused_stale += other.refused_stale;
        self.kept += other.kept;
        self.cut += other.cut;
        for (broken, others) in self.broken.iter_mut().zip(other.broken) {
            *broken += others;
        }
    }
}

impl World {
    pub(crate) fn new(mutant: Mutant, seed: u64) -> Self {
        let mut random = Random(seed);
        let now = secs(1_000);
        let needs_lead = matches!(
            mutant,
            Mutant::NoLead | Mutant::ShortLead | Mutant::LeadOfCaches | Mutant::LeadOfCachesNoOutage | Mutant::NoX
        );
        let standby = if needs_lead || random.percent(50) { Standby::AtLead } else { Standby::AtOnce };
        let keeps = mutant == Mutant::LateHorizon || (mutant == Mutant::Sound && random.percent(30));
        let mut store = Store::new(mutant, now, standby, if keeps { OverLife::Keep } else { OverLife::Cut });
        store.make(now, now);
        let replicas = (0..REPLICAS).map(|_| Replica {
            error: Span::from_us(random.between(-SECOND, SECOND)),
            known: store.ring(now),
            read_at: now,
            next_poll: now,
            cut_off_until: now,
            last_without: [now; GENERATIONS],
        });
        let replicas = replicas.collect();
        let kinds = [Kind::Honest, Kind::FixedTime, Kind::NoRefetch, Kind::Behind];
        let verifiers = (0..VERIFIERS).map(|at| Verifier { kind: kinds[at % kinds.len()], set: None }).collect();
        let (tokens, checks, outcome) = (Vec::new(), BinaryHeap::new(), Outcome::default());
        let end = now + Span::from_secs(LASTS_SECS);
        Self { mutant, random, now, end, store, store_away_until: now, replicas, verifiers, tokens, checks, outcome }
    }

    pub(crate) fn run(mut self) -> Outcome {
        while self.now < self.end {
            // Crowded around switches.
            let near = self.store.ring(self.now).next_change(self.now - Span::from_secs(3));
            let is_near = near.is_some_and(|near| near < self.now + Span::from_secs(3));
            let step =
                if is_near { self.random.between(20_000, 150_000) } else { self.random.between(100_000, SECOND) };
            self.now = self.now + Span::from_us(step);
            self.accidents();
            self.poll();
            self.hold_replicas_to_each_other();
            self.operate();
            self.mint();
            self.check();
        }
        self.outcome
    }

    /// The store goes away, or a replica is cut off from it.
    fn accidents(&mut self) {
        if self.mutant == Mutant::LeadOfCachesNoOutage {
            return;
        }
        let (now, long) = (self.now, self.random.percent(30));
        let (shortest, longest, one_in) = match (self.mutant, long) {
            // X counts where everything else is at its bound, too: cut off for just T, again and again.
            (Mutant::NoX, _) => (7, 10, 10),
            (_, true) => (1, 40, 60),
            (_, false) => (1, 6, 60),
        };
        let length = Span::from_us(self.random.between(shortest * SECOND, longest * SECOND));
        if now > self.store_away_until && self.random.between(1, 300) == 1 {
            self.store_away_until = now + length;
        }
        let at = self.random.between(0, REPLICAS as i64 - 1) as usize;
        if now > self.replicas[at].cut_off_until && self.random.between(1, one_in) == 1 {
            self.replicas[at].cut_off_until = now + length;
        }
    }

    fn is_away(&self) -> bool {
        self.now < self.store_away_until
    }

    /// Each replica reads every R what is visible, and makes what is due.
    fn poll(&mut self) {
        for at in 0..REPLICAS {
            if self.now < self.replicas[at].next_poll {
                continue;
            }
            self.replicas[at].next_poll = self.now + store_policy(0).refresh_every;
            if self.is_away() || self.now < self.replicas[at].cut_off_until {
                continue;
            }
            let known = self.store.ring(self.now);
            let kept = self.replicas[at].known.generations();
            self.outcome.broken[2] += usize::from(!known.generations().starts_with(kept));
            let t = self.now + self.replicas[at].error;
            let is_due = known.standby_due_at().is_some_and(|due| due <= t);
            self.replicas[at].known = known;
            self.replicas[at].read_at = self.now;
            let visible_at = self.visible_at();
            if is_due && self.store.make(self.now, visible_at) {
                self.outcome.rotations += 1;
            }
        }
    }

    /// I3: of two fresh replicas each signs with another key only while one has not heard of a switch, at most F, and for
    /// twice S. And what each shows is noted for I1.
    fn hold_replicas_to_each_other(&mut self) {
        let (now, fresh_for) = (self.now, store_policy(0).fresh_for);
        let mut signers = Vec::new();
        for replica in &mut self.replicas {
            let (staleness, t) = (now - replica.read_at, now + replica.error);
            if staleness <= policy(0).max_staleness {
                let shown = replica.known.shown(t);
                let lacks = (1..=GENERATIONS as u32).filter(|n| !shown.contains(n));
                lacks.for_each(|n| replica.last_without[n as usize - 1] = now);
            }
            if staleness <= fresh_for {
                signers.extend(replica.known.signing(t).map(|signing| signing.n));
            }
        }
        let apart = fresh_for + store_policy(0).clock_error.times(2);
        if signers.iter().any(|n| *n != signers[0]) && !self.store.has_switched(now - apart, now + apart) {
            self.outcome.broken[1] += 1;
        }
    }

    /// I1 and I5 of a token as it leaves.
    fn hold_token(&mut self, n: u32, is_hasty: bool, exp_secs: i64) {
        let cached = policy(0).assumed_cache;
        let lacked = |replica: &Replica| replica.last_without[n as usize - 1] >= self.now - cached;
        if n > 1 && !is_hasty && !self.store.is_revoked(n, self.now) && self.replicas.iter().any(lacked) {
            self.outcome.broken[0] += 1;
        }
        let margin = policy(0).leeway + store_policy(0).clock_error.times(2);
        let shown_until = self.store.ring(self.now).remove_at(n);
        if shown_until.is_some_and(|end| end != Time::NEVER && secs(exp_secs) + margin > end) {
            self.outcome.broken[3] += 1;
        }
    }

    /// A transaction is seen when it ends: mostly soon, at the latest after X.
    fn visible_at(&mut self) -> Time {
        if self.mutant == Mutant::LeadOfCachesNoOutage {
            return self.now;
        }
        let (soonest, latest) = match (self.mutant, self.random.percent(30)) {
            (Mutant::NoX, _) => (4 * SECOND, 5 * SECOND),
            (_, true) => (0, 5 * SECOND),
            (_, false) => (0, SECOND / 5),
        };
        self.now + Span::from_us(self.random.between(soonest, latest))
    }

    /// An operator rotates, revokes or changes L, now and then.
    fn operate(&mut self) {
        let is_control = matches!(self.mutant, Mutant::LeadOfCachesNoOutage | Mutant::LeadOfCaches);
        if self.is_away() || is_control || self.random.between(1, 150) != 1 {
            return;
        }
        let (now, visible_at, ring) = (self.now, self.visible_at(), self.store.ring(self.now));
        match self.random.between(1, 6) {
            1 => {
                let named = if self.random.percent(50) {
                    ring.signer(now).map(|g| g.n)
                } else {
                    ring.standby(now).map(|s| s.0)
                };
                if let Some(n) = named {
                    self.store.happen(n, now, EventKind::Revoked, visible_at);
                    self.outcome.revoked += 1;
                }
            }
            2 | 3 => {
                if let Some(haste) = ring.rotate_now(now) {
                    self.store.happen(haste.n, now, EventKind::Hastened { until: haste.until }, visible_at);
                    self.outcome.hastened += 1;
                }
            }
            _ => {
                let secs = if self.random.percent(50) { 4 } else { 10 };
                self.store.set_lifetime(secs, now, visible_at);
            }
        }
    }

    fn mint(&mut self) {
        let at = self.random.between(0, REPLICAS as i64 - 1) as usize;
        let stale = self.now - self.replicas[at].read_at > policy(0).max_staleness;
        if stale && self.mutant != Mutant::SignsBeyondT {
            self.outcome.refused_stale += 1;
            return;
        }
        let t = self.now + self.replicas[at].error;
        let ring = self.replicas[at].known.clone();
        let Some(signing) = ring.signing(t) else { return };
        let issued_at = t.whole_secs();
        let life_secs = match self.random.between(1, 5) {
            1 => self.random.between(1, 9),
            2 => 35,
            _ => 10,
        };
        let Some(exp_secs) = self.expiry(&signing, issued_at, life_secs) else { return };
        self.outcome.minted += 1;
        let generation = ring.generations()[signing.n as usize - 1];
        let is_early = signing.start < generation.activate_at || signing.n == 1;
        let is_hasty = is_early && t < generation.created_at + policy(0).publish_lead;
        self.tokens.push(Token { n: signing.n, is_hasty });
        self.hold_token(signing.n, is_hasty, exp_secs);
        self.plan_checks(exp_secs);
    }

    /// The `exp` that the token leaves with; none if it does not.
    fn expiry(&mut self, signing: &keyring::Signing, issued_at: i64, life_secs: i64) -> Option<i64> {
        let asked = issued_at + life_secs;
        if let Some(life_secs) = UNCAPPED.iter().find(|(mutant, _)| *mutant == self.mutant).map(|(_, secs)| secs) {
            return Some(issued_at + life_secs);
        }
        match signing.expiry(issued_at, AskedExp::At(asked)).ok()? {
            Expiry::AsAsked => Some(asked),
            Expiry::Cut { exp_secs } => {
                self.outcome.cut += 1;
                Some(exp_secs)
            }
            Expiry::AfterHorizon { until } => {
                let is_stored = if self.mutant == Mutant::LateHorizon {
                    // The process dies between the two, nearly always.
                    self.random.percent(2) || return Some(asked)
                } else {
                    !self.is_away()
                };
                if !is_stored {
                    return None;
                }
                self.store.happen(signing.n, self.now, EventKind::Horizon { until }, self.now);
                self.outcome.kept += 1;
                Some(asked)
            }
        }
    }

    /// Each token is checked when it is fresh, in the middle, and as late as the verifier's clock allows.
    fn plan_checks(&mut self, exp_secs: i64) {
        let (token, exp) = (self.tokens.len() - 1, secs(exp_secs));
        for _ in 0..2 {
            let verifier = self.random.between(0, VERIFIERS as i64 - 1) as usize;
            let behind = self.verifiers[verifier].kind == Kind::Behind;
            let last = if behind { exp + policy(0).leeway } else { exp } - Span::from_us(1);
            let life_us = (last - self.now).as_us().max(0);
            let fresh = self.now + Span::from_us(self.random.between(0, life_us.min(2 * SECOND)));
            let later = self.now + Span::from_us(self.random.between(0, life_us));
            for t in [fresh, later, last] {
                if t >= self.now && t < self.end {
                    self.checks.push(Reverse((t, token, verifier)));
                }
            }
        }
    }

    fn check(&mut self) {
        while let Some(Reverse((t, token, verifier))) = self.checks.peek().copied() {
            if t > self.now {
                return;
            }
            self.checks.pop();
            let Token { n, is_hasty } = self.tokens[token];
            if is_hasty || self.store.is_revoked(n, t) {
                continue;
            }
            if let Some(holds) = self.verify(verifier, n, t) {
                self.outcome.checked += 1;
                self.outcome.lost += usize::from(!holds);
            }
        }
    }

    /// Whether the verifier finds the key; none if it has no set and nobody serves one.
    fn verify(&mut self, verifier: usize, n: u32, t: Time) -> Option<bool> {
        let kept = self.verifiers[verifier].set.as_ref();
        if kept.is_none_or(|(fetched_at, keeps, _)| t - *fetched_at >= *keeps) {
            self.fetch(verifier, t)?;
        }
        let holds = |world: &Self| world.verifiers[verifier].set.as_ref().is_some_and(|(_, _, kids)| kids.contains(&n));
        if !holds(self) && self.verifiers[verifier].kind == Kind::Honest {
            self.fetch(verifier, t)?;
        }
        Some(holds(self))
    }

    /// A is 20 s: nobody keeps a set longer. In the pair of M3 there is room for the polling, which is no outage.
    fn fixed_cache(&self) -> Span {
        let is_pair = matches!(self.mutant, Mutant::LeadOfCaches | Mutant::LeadOfCachesNoOutage);
        if is_pair { Span::from_secs(16) } else { Span::from_us(19_900_000) }
    }

    /// Fetches from whichever replica the balancer gives; one that is beyond T says 503, and the next is asked.
    fn fetch(&mut self, verifier: usize, t: Time) -> Option<()> {
        let first = self.random.between(0, REPLICAS as i64 - 1) as usize;
        for at in (0..REPLICAS).map(|step| (first + step) % REPLICAS) {
            let replica = &self.replicas[at];
            let staleness = t - replica.read_at;
            if staleness > policy(0).max_staleness && self.mutant != Mutant::ServesBeyondT {
                continue;
            }
            let estimate = t + replica.error;
            let mut kids = replica.known.shown(estimate);
            if self.mutant == Mutant::NoTail {
                kids.retain(|n| matches!(replica.known.phase(*n, estimate), Some(Phase::Published | Phase::Active)));
            }
            let max_age = replica.known.jwks_max_age(estimate);
            let keeps = if self.verifiers[verifier].kind == Kind::FixedTime { self.fixed_cache() } else { max_age };
            self.verifiers[verifier].set = Some((t, keeps, kids));
            return Some(());
        }
        None
    }
}
