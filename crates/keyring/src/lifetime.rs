//! How long a token may live that is minted now (key ring contract, section 7).

use crate::policy::OverLife;
use crate::{Ring, Span, Time};

/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
pub const NUMERIC_DATE_MAX: i64 = (1 << 53) - 1;

/// How far ahead of a generation's start a horizon is stored: in few steps, so that few tokens cause a write.
const HORIZON_STEPS_DAYS: [i64; 5] = [1, 30, 365, 3_653, 73_050];
const DAY_SECS: i64 = 86_400;

/// The generation that signs, and what it may promise: good until the ring's next change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The generation.
    pub n: u32,
    /// When it started to sign.
    pub start: Time,
    /// L as it counts now; none in a static ring.
    pub max_lifetime: Option<Span>,
    /// The latest `exp` under which its public half is published long enough; [`Time::NEVER`] while it has no successor.
    pub last_exp: Time,
    /// Until when tokens that were kept beyond the ceiling live; the public half is published that long.
    pub horizon: Option<Time>,
    /// What becomes of a token that asks for more than the ceiling.
    pub over_life: OverLife,
}

/// The `exp` that a token would carry, all its claims merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedExp {
    /// There is none.
    Nothing,
    /// It is this; a fraction counts as the next whole second.
    At(i64),
    /// It is no NumericDate: no number, no finite one, or beyond 2^53 - 1.
    Invalid,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It stays.
    AsAsked,
    /// It becomes the ceiling, and that is told as `exp_cut`.
    Cut {
        /// The new `exp`, seconds since 1970.
        exp_secs: i64,
    },
    /// It stays, but only once a `horizon` event until then is stored.
    AfterHorizon {
        /// Until when.
        until: Time,
    },
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryRefusal {
    /// The ring caps the life of its tokens, so each needs an `exp`.
    #[error("the ring caps the life of its tokens, and this one has no `exp`")]
    Required,
    /// It is no NumericDate.
    #[error("`exp` is no NumericDate of at most 2^53 - 1 seconds")]
    Invalid,
    /// It lies beyond what the ring allows, and the ring cuts nothing.
    #[error("`exp` {exp_secs} lies beyond what the ring allows now, {ceiling_secs}")]
    ExceedsRing {
        /// What was asked, seconds since 1970.
        exp_secs: i64,
        /// The latest that would be granted.
        ceiling_secs: i64,
    },
}

impl ExpiryRefusal {
    /// Its fixed name, for logs and replies.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "exp_required",
            Self::Invalid => "exp_invalid",
            Self::ExceedsRing { .. } => "lifetime_exceeds_ring",
        }
    }
}

impl Ring {
    /// Who signs at `t`, and until when its tokens may live; none while nobody signs.
    pub fn signing(&self, t: Time) -> Option<Signing> {
        let n = self.signer(t)?.n;
        let chain = self.chain();
        let place = chain.iter().position(|link| link.generation.n == n)?;
        Some(Signing {
            n,
            start: chain[place].start,
            max_lifetime: self.max_lifetime(t),
            last_exp: self.last_exp(&chain, place),
            horizon: self.horizon(n),
            over_life: self.policy_at(t).over_life,
        })
    }

    /// L for a token minted at `t`: a lower one counts at once, a higher one when no replica acts on the old rows.
    pub fn max_lifetime(&self, t: Time) -> Option<Span> {
        let binding = self
            .versions()
            .filter(|(policy, replaced_at)| policy.created_at <= t && t < self.forgotten_at(policy, *replaced_at));
        binding.filter_map(|(policy, _)| policy.max_lifetime).min().or(self.policy_at(t).max_lifetime)
    }

    /// C for a set served at `t`: the least under which it, or a generation that does not sign yet, was made.
    pub fn jwks_max_age(&self, t: Time) -> Span {
        let chain = self.chain();
        let waiting = chain.iter().filter(|link| link.generation.created_at <= t && t < link.start);
        let made_under = waiting.flat_map(|link| self.policies_within(link.generation.created_at, link.start.min(t)));
        made_under.map(|policy| policy.jwks_max_age).fold(self.policy_at(t).jwks_max_age, Span::min)
    }
}

impl Signing {
    /// The latest `exp` of a token issued then, both in seconds since 1970; none in a static ring.
    pub fn ceiling_secs(&self, issued_at_secs: i64) -> Option<i64> {
        let issued_at = Time::from_us(issued_at_secs.saturating_mul(1_000_000));
        self.max_lifetime.map(|lifetime| (issued_at + lifetime).min(self.last_exp).whole_secs())
    }

    /// Decides on the `exp` of one token that is issued then, in seconds since 1970.
    ///
    /// # Errors
    /// [`ExpiryRefusal`]; a static ring refuses nothing.
    pub fn expiry(&self, issued_at_secs: i64, asked: AskedExp) -> Result<Expiry, ExpiryRefusal> {
        let Some(ceiling_secs) = self.ceiling_secs(issued_at_secs) else {
            return Ok(Expiry::AsAsked);
        };
        let exp_secs = match asked {
            AskedExp::Nothing => return Err(ExpiryRefusal::Required),
            AskedExp::At(secs) if (-NUMERIC_DATE_MAX..=NUMERIC_DATE_MAX).contains(&secs) => secs,
            AskedExp::At(_) | AskedExp::Invalid => return Err(ExpiryRefusal::Invalid),
        };
        if exp_secs <= ceiling_secs {
            return Ok(Expiry::AsAsked);
        }
        let beyond = ExpiryRefusal::ExceedsRing { exp_secs, ceiling_secs };
        match self.over_life {
            OverLife::Cut => Ok(Expiry::Cut { exp_secs: ceiling_secs }),
            OverLife::Refuse => Err(beyond),
            OverLife::Keep => self.kept(exp_secs).ok_or(beyond),
        }
    }

    fn kept(&self, exp_secs: i64) -> Option<Expiry> {
        let end = Time::from_us(exp_secs.checked_mul(1_000_000)?);
        if self.horizon.is_some_and(|horizon| end <= horizon) {
            return Some(Expiry::AsAsked);
        }
        let mut steps = HORIZON_STEPS_DAYS.iter().map(|days| self.start + Span::from_secs(days * DAY_SECS));
        steps.find(|step| end <= *step).map(|until| Expiry::AfterHorizon { until })
    }
}
