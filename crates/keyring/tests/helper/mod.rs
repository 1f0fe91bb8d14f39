//! The one place in the tests that knows how a ring is put together. Numbers are seconds.

#![allow(dead_code, clippy::unwrap_used, reason = "test code, of which each test program uses its own part")]

use keyring::{
    BadRows, Event, EventKind, Generation, OverLife, Ring, RingPolicy, Span, Standby, StatementLimits, StorePolicy,
    Time, Use,
};

/// The rows of a ring, in the making.
pub(crate) struct Rows {
    use_: Use,
    policies: Vec<RingPolicy>,
    store_policies: Vec<StorePolicy>,
    generations: Vec<Generation>,
    events: Vec<Event>,
}

impl Rows {
    pub(crate) fn new(use_: Use) -> Self {
        Self {
            use_,
            policies: vec![policy(0)],
            store_policies: vec![store_policy(0)],
            generations: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn policies(self, policies: Vec<RingPolicy>) -> Self {
        Self { policies, ..self }
    }

    pub(crate) fn store_policies(self, store_policies: Vec<StorePolicy>) -> Self {
        Self { store_policies, ..self }
    }

    /// The next generation.
    pub(crate) fn made(self, created_at: i64, activate_at: i64) -> Self {
        let n = self.generations.len() as u32 + 1;
        self.numbered(n, created_at, activate_at)
    }

    pub(crate) fn numbered(mut self, n: u32, created_at: i64, activate_at: i64) -> Self {
        self.generations.push(Generation { n, created_at: secs(created_at), activate_at: secs(activate_at) });
        self
    }

    pub(crate) fn event(self, n: u32, at: i64, kind: EventKind) -> Self {
        self.event_at(n, secs(at), kind)
    }

    pub(crate) fn event_at(mut self, n: u32, at: Time, kind: EventKind) -> Self {
        self.events.push(Event { n, at, kind });
        self
    }

    /// The same rows as another reader may find them.
    pub(crate) fn reversed(mut self) -> Self {
        self.policies.reverse();
        self.store_policies.reverse();
        self.generations.reverse();
        self.events.reverse();
        self
    }

    pub(crate) fn build(self) -> Result<Ring, BadRows> {
        Ring::new(self.use_, self.policies, self.store_policies, self.generations, self.events)
    }

    pub(crate) fn ring(self) -> Ring {
        self.build().unwrap()
    }
}

/// D 60, P 40, L 10, C 10, A 20, T 8, V 5.
pub(crate) fn policy(created_at: i64) -> RingPolicy {
    RingPolicy {
        created_at: secs(created_at),
        rotation_period: Some(Span::from_secs(60)),
        publish_lead: Span::from_secs(40),
        max_lifetime: Some(Span::from_secs(10)),
        assumed_cache: Span::from_secs(20),
        jwks_max_age: Span::from_secs(10),
        max_staleness: Span::from_secs(8),
        leeway: Span::from_secs(5),
        over_life: OverLife::Cut,
        standby: Standby::AtOnce,
    }
}

/// F 3, R 1, S 1, X 5.
pub(crate) fn store_policy(created_at: i64) -> StorePolicy {
    StorePolicy {
        created_at: secs(created_at),
        fresh_for: Span::from_secs(3),
        refresh_every: Span::from_secs(1),
        clock_error: Span::from_secs(1),
        write_window: Span::from_secs(5),
    }
}

/// 0.6 s each: four times their sum is just below X 5.
pub(crate) fn limits() -> StatementLimits {
    StatementLimits { statement: Span::from_us(600_000), idle_in_transaction: Span::from_us(600_000) }
}

pub(crate) fn secs(secs: i64) -> Time {
    Time::from_us(secs * 1_000_000)
}

pub(crate) fn us(us: i64) -> Time {
    Time::from_us(us)
}
