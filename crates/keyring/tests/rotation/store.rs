//! The store of the model: rows that become visible a while after they were written, and never change.

use keyring::{Event, EventKind, Generation, OverLife, Ring, RingPolicy, Span, Standby, StorePolicy, Time, Use};

use crate::Mutant;
use crate::helper;

#[derive(Clone, Copy)]
enum Row {
    Policy(RingPolicy),
    Generation(Generation),
    Event(Event),
}

pub(crate) struct Store {
    mutant: Mutant,
    base: RingPolicy,
    /// When each becomes visible.
    rows: Vec<(Time, Row)>,
}

impl Store {
    pub(crate) fn new(mutant: Mutant, now: Time, standby: Standby, over_life: OverLife) -> Self {
        let lead = match mutant {
            Mutant::NoLead => 0,
            Mutant::ShortLead => 2,
            Mutant::LeadOfCaches | Mutant::LeadOfCachesNoOutage => 20,
            // A 20, T 8, twice S 1, and nothing for X 5.
            Mutant::NoX => 30,
            Mutant::Sound
            | Mutant::ServesBeyondT
            | Mutant::TwiceL
            | Mutant::Month
            | Mutant::NoTail
            | Mutant::SignsBeyondT
            | Mutant::NoHold
            | Mutant::LoweredL
            | Mutant::LateHorizon => 40,
        };
        let publish_lead = Span::from_secs(lead);
        let base = RingPolicy { created_at: now, publish_lead, standby, over_life, ..helper::policy(0) };
        Self { mutant, base, rows: vec![(now, Row::Policy(base))] }
    }

    /// The ring of everything that is visible at `t`.
    pub(crate) fn ring(&self, t: Time) -> Ring {
        let (mut policies, mut generations, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for (_, row) in self.rows.iter().filter(|(visible_at, _)| *visible_at <= t) {
            match row {
                Row::Policy(policy) => policies.push(*policy),
                Row::Generation(generation) => generations.push(*generation),
                Row::Event(event) => events.push(*event),
            }
        }
        if self.mutant == Mutant::LoweredL {
            policies = policies.split_off(policies.len() - 1);
        }
        if self.mutant == Mutant::NoHold {
            forget_when_hastened(&mut events, &generations);
        }
        Ring::new(Use::Sign, policies, vec![self.store_policy()], generations, events).unwrap()
    }

    fn store_policy(&self) -> StorePolicy {
        let sound = helper::store_policy(0);
        if self.mutant == Mutant::NoX { StorePolicy { write_window: Span::ZERO, ..sound } } else { sound }
    }

    /// Whether a row of this generation was written, visible or not.
    fn is_taken(&self, n: u32) -> bool {
        self.rows.iter().any(|(_, row)| matches!(row, Row::Generation(generation) if generation.n == n))
    }

    /// Makes the next generation of what is visible now, unless somebody did.
    pub(crate) fn make(&mut self, now: Time, visible_at: Time) -> bool {
        let ring = self.ring(now);
        let n = ring.generations().len() as u32 + 1;
        if self.is_taken(n) {
            return false;
        }
        let generation = Generation { n, created_at: now, activate_at: ring.activate_at(now) };
        self.rows.push((visible_at, Row::Generation(generation)));
        true
    }

    pub(crate) fn happen(&mut self, n: u32, at: Time, kind: EventKind, visible_at: Time) {
        self.rows.push((visible_at, Row::Event(Event { n, at, kind })));
    }

    /// L becomes this many seconds.
    pub(crate) fn set_lifetime(&mut self, secs: i64, now: Time, visible_at: Time) {
        let policy = RingPolicy { created_at: now, max_lifetime: Some(Span::from_secs(secs)), ..self.base };
        self.rows.push((visible_at, Row::Policy(policy)));
    }

    /// Whether another key begins to sign in between, or something that brings one to sign was seen first in between.
    pub(crate) fn has_switched(&self, from: Time, to: Time) -> bool {
        let within = |t: Time| from <= t && t <= to;
        let ring = self.ring(to);
        let starts = ring.generations().iter().filter_map(|generation| ring.start(generation.n));
        starts.into_iter().any(within) || self.rows.iter().any(|(visible_at, _)| within(*visible_at))
    }

    /// Whether the key was revoked by then, by whoever knows everything.
    pub(crate) fn is_revoked(&self, n: u32, by: Time) -> bool {
        let revokes = |event: &Event| event.n == n && event.kind == EventKind::Revoked && event.at <= by;
        self.rows.iter().any(|(_, row)| matches!(row, Row::Event(event) if revokes(event)))
    }
}

/// As if each had been fixed when it was made.
fn forget_when_hastened(events: &mut [Event], generations: &[Generation]) {
    for event in events.iter_mut().filter(|event| matches!(event.kind, EventKind::Hastened { .. })) {
        let made = generations.iter().find(|generation| generation.n == event.n);
        event.at = made.map_or(event.at, |generation| generation.created_at);
    }
}
