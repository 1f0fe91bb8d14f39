//! The timing of a ring, and the check that refuses timings under which a token could be lost.
//!
//! Names, defaults and inequalities are those of the key ring contract, section 5.

use crate::{Span, Time};

/// Longest `rotation_period`: ten years of 365 days and a quarter.
pub const ROTATION_PERIOD_MAX: Span = Span::from_secs(315_576_000);
/// Longest `leeway`.
pub const LEEWAY_MAX: Span = Span::from_secs(300);

/// What becomes of a token that would outlive what its ring allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverLife {
    /// Its `exp` is cut to the ceiling.
    #[default]
    Cut,
    /// It is not minted.
    Refuse,
    /// It keeps its `exp`, and the public half stays published until then.
    Keep,
}

/// When the generation that signs next is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standby {
    /// As soon as the one before it signs, so that a revoked signer has a successor that caches hold.
    #[default]
    AtOnce,
    /// As late as the lead allows.
    AtLead,
}

/// One version of a ring's timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingPolicy {
    /// When this version was stored.
    pub created_at: Time,
    /// D, `rotation_period`: how long a generation signs. None in a static ring.
    pub rotation_period: Option<Span>,
    /// P, `publish_lead`: least time from a generation's creation to its use.
    pub publish_lead: Span,
    /// L, `max_lifetime`: longest life of a token. None in a static ring: its keys stay until they are revoked.
    pub max_lifetime: Option<Span>,
    /// A, `assumed_cache`: longest time that a verifier keeps a key set.
    pub assumed_cache: Span,
    /// C, `jwks_max_age`: the `max-age` that is published.
    pub jwks_max_age: Span,
    /// T, `max_staleness`: beyond it a replica neither signs for nor publishes the ring.
    pub max_staleness: Span,
    /// V, `leeway`: clock tolerance granted to verifiers.
    pub leeway: Span,
    /// What becomes of a token that would outlive what the ring allows.
    pub over_life: OverLife,
    /// When the generation that signs next is made.
    pub standby: Standby,
}

/// One version of the timing that all rings of a store share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorePolicy {
    /// When this version was stored.
    pub created_at: Time,
    /// F, `fresh_for`: beyond it a replica is degraded.
    pub fresh_for: Span,
    /// R, `refresh_every`: how often the epochs are read.
    pub refresh_every: Span,
    /// S, `clock_error`: bound on a replica's estimate of the database clock.
    pub clock_error: Span,
    /// X, `write_window`: longest time from a rotation's first statement to its visibility.
    pub write_window: Span,
}

/// The limits that the store sets to one transaction; X must cover them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementLimits {
    /// Longest statement.
    pub statement: Span,
    /// Longest pause within a transaction.
    pub idle_in_transaction: Span,
}

/// An inequality that does not hold: `left` should have been at least `right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the timing is unsafe: {rule} does not hold, {} s is less than {} s by {} s",
    secs(*.left),
    secs(*.right),
    secs(*.right - *.left)
)]
pub struct Unsafe {
    /// The inequality, in the words of the settings.
    pub rule: &'static str,
    /// The side that is too small.
    pub left: Span,
    /// The side that it should reach.
    pub right: Span,
}

impl RingPolicy {
    /// The defaults for a ring that makes a generation every `rotation_period`, or for a static one.
    pub fn with_defaults(rotation_period: Option<Span>, store: &StorePolicy, created_at: Time) -> Self {
        let day = Span::from_secs(86_400);
        let publish_lead = rotation_period.map_or(day, |period| day.min(period.divided_by(2)));
        let assumed_cache = Span::from_secs(3_600).min(publish_lead.divided_by(4));
        let spare = publish_lead - assumed_cache - store.write_window - store.clock_error.times(2);
        Self {
            created_at,
            rotation_period,
            publish_lead,
            max_lifetime: rotation_period.map(|_| Span::from_secs(3_600)),
            assumed_cache,
            jwks_max_age: Span::from_secs(900).min(assumed_cache.divided_by(2)),
            max_staleness: Span::from_secs(79_200).min(spare),
            leeway: Span::from_secs(60),
            over_life: OverLife::default(),
            standby: Standby::default(),
        }
    }

    /// Refuses a timing under which a token could be lost.
    ///
    /// # Errors
    /// [`Unsafe`] names the first inequality that does not hold, its values and what is missing.
    pub fn check(&self, store: &StorePolicy, limits: &StatementLimits) -> Result<(), Unsafe> {
        let Self { publish_lead, assumed_cache, jwks_max_age, max_staleness, .. } = *self;
        let StorePolicy { fresh_for, refresh_every, clock_error, write_window, .. } = *store;
        let needed = assumed_cache + max_staleness + write_window + clock_error.times(2);
        at_least(publish_lead, needed, "publish_lead >= assumed_cache + max_staleness + write_window + 2 clock_error")?;
        at_least(assumed_cache, jwks_max_age.times(2), "assumed_cache >= 2 jwks_max_age")?;
        at_least(fresh_for, refresh_every.times(3), "fresh_for >= 3 refresh_every")?;
        at_least(max_staleness, fresh_for, "max_staleness >= fresh_for")?;
        let transaction = (limits.statement + limits.idle_in_transaction).times(4);
        at_least(write_window, transaction, "write_window >= 4 (statement limit + idle-in-transaction limit)")?;
        self.rotation_period.map_or(Ok(()), |period| self.check_rotating(period, fresh_for))
    }

    fn check_rotating(&self, period: Span, fresh_for: Span) -> Result<(), Unsafe> {
        let lifetime = self.max_lifetime.unwrap_or(Span::from_us(i64::MAX));
        at_least(period, self.publish_lead, "rotation_period >= publish_lead")?;
        at_least(period, lifetime, "rotation_period >= max_lifetime")?;
        at_least(lifetime + self.leeway, fresh_for, "max_lifetime + leeway >= fresh_for")?;
        at_least(LEEWAY_MAX, self.leeway, "leeway <= 300 s")?;
        at_least(ROTATION_PERIOD_MAX, period, "rotation_period <= 10 years")
    }
}

impl OverLife {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Cut, Self::Refuse, Self::Keep];

    /// Its name in settings and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Refuse => "refuse",
            Self::Keep => "keep",
        }
    }
}

impl Standby {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::AtOnce, Self::AtLead];

    /// Its name in settings and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::AtLead => "at_lead",
        }
    }
}

impl StorePolicy {
    /// The defaults.
    pub fn with_defaults(created_at: Time) -> Self {
        Self {
            created_at,
            fresh_for: Span::from_secs(60),
            refresh_every: Span::from_secs(10),
            clock_error: Span::from_secs(5),
            write_window: Span::from_secs(60),
        }
    }
}

fn at_least(left: Span, right: Span, rule: &'static str) -> Result<(), Unsafe> {
    if left >= right { Ok(()) } else { Err(Unsafe { rule, left, right }) }
}

fn secs(span: Span) -> f64 {
    span.as_us() as f64 / 1e6
}
