//! Tokens of a key ring of the store, whose clock and ceiling count.

use std::sync::Arc;

use jose::jws::HeaderPlan;
use keyring::AskedExp;
use plan::{ClaimPlan, Lifetime, TokenPlan};

use super::{MintError, write};
use crate::effects::sign;
use crate::rings::{RingRefusal, Rings};

/// Mints tokens of one kind with whoever signs in a ring.
pub struct RingMint {
    rings: Arc<Rings>,
    ring_id: String,
    header: HeaderPlan,
    kind: TokenPlan,
}

/// A token of a ring.
pub struct RingMinted {
    /// The compact serialization.
    pub token: String,
    /// The `kid` of the key that signed it.
    pub kid: String,
    /// `exp`, in seconds since 1970.
    pub exp_secs: Option<i64>,
    /// Whether `exp` was cut to what the ring allows.
    pub exp_cut: bool,
}

impl RingMint {
    /// Mints by this plan with the ring of this id, `tenant/name`.
    ///
    /// # Errors
    /// [`MintError::Header`].
    pub fn new(rings: Arc<Rings>, ring_id: String, kind: TokenPlan) -> Result<Self, MintError> {
        let header = sign::header(&kind.header).map_err(MintError::Header)?;
        Ok(Self { rings, ring_id, header, kind })
    }

    /// Mints one token. `claims` gives claims and the `exp` they ask for, at an instant of the store's clock in seconds
    /// since 1970; it may be asked more than once.
    ///
    /// # Errors
    /// [`RingRefusal`].
    pub fn mint(
        &self,
        mut claims: impl FnMut(i64) -> Result<(Vec<ClaimPlan>, Option<i64>), RingRefusal>,
    ) -> Result<RingMinted, RingRefusal> {
        if self.rings.staleness() > self.rings.refresh_every() {
            // No rotator runs beside a command. If the store is away, the ring itself says how long that is fine.
            let _ = self.rings.refresh();
        }
        let mut exp_secs = None;
        let minted = self.rings.mint(&self.ring_id, &self.header, |moment| {
            let (claims, asked) = claims(moment.issued_at_secs)?;
            exp_secs = moment.expiry(asked.map_or(AskedExp::Nothing, AskedExp::At))?.or(asked);
            let lifetime = exp_secs.map_or(Lifetime::Unbounded, Lifetime::Until);
            let plan = TokenPlan { claims, lifetime, ..self.kind.clone() };
            write(&plan, moment.issued_at_secs.saturating_mul(1_000))
                .map_err(|error| RingRefusal::Claims(error.to_string()))
        })?;
        Ok(RingMinted { token: minted.token, kid: minted.kid, exp_secs, exp_cut: minted.exp_cut })
    }
}
