//! One token: its claims written for the instant of its ring, signed there, and told of.

use std::sync::Arc;

use dialects::supertokens::{CreateJwt, Refusal, cut, end_secs, lower};
use jose::jwa::SignatureAlgorithm;
use jose::jws::HeaderPlan;
use keyring::AskedExp;
use plan::FaultKind;

use crate::mint::{self, MintError};
use crate::rings::{Moment, RingRefusal, Rings};
use crate::token_log::Claims;

/// What is to be minted, by whom.
pub(super) struct Order {
    pub(super) rings: Arc<Rings>,
    pub(super) ring_id: String,
    pub(super) header: Arc<HeaderPlan>,
    pub(super) request: CreateJwt,
    pub(super) algorithm: &'static SignatureAlgorithm,
}

/// A token, and what is told of it.
pub(super) struct Created {
    pub(super) token: String,
    pub(super) kid: String,
    pub(super) issued_at_secs: i64,
    pub(super) claims: Claims,
}

/// Why there is none.
pub(super) enum Uncreated {
    /// The caller's fault, or nobody's.
    Refusal(Refusal),
    /// Our fault: its code and its cause, for the log.
    Fault(&'static str, String),
    /// What signs is away for now: the same.
    Away(&'static str, String),
}

/// Why the claims were not written.
enum Unwritten {
    Ring(RingRefusal),
    Mint(MintError),
}

impl Order {
    /// Mints it. Blocks while it signs.
    pub(super) fn create(&self) -> Result<Created, Uncreated> {
        let (mut written, mut unwritten) = (None, None);
        let signed = self.rings.mint(&self.ring_id, &self.header, |moment| match self.write(moment) {
            Ok(octets) => {
                written = Some((moment.issued_at_secs, Claims::read(&octets)));
                Ok(octets)
            }
            Err(Unwritten::Ring(refusal)) => Err(refusal),
            Err(Unwritten::Mint(error)) => Err(RingRefusal::Claims(unwritten.insert(error).to_string())),
        });
        let signed = match (signed, unwritten) {
            (Ok(signed), _) => signed,
            (Err(_), Some(error)) => return Err(of_mint(&error)),
            (Err(refusal), None) => return Err(self.of_ring(&refusal)),
        };
        let (issued_at_secs, claims) = written.expect("what is signed was written before");
        Ok(Created { token: signed.token, kid: signed.kid, issued_at_secs, claims })
    }

    fn write(&self, moment: &Moment) -> Result<Vec<u8>, Unwritten> {
        let issued_at_secs = moment.issued_at_secs;
        let mut plan = lower(&self.request, self.algorithm);
        let asked = end_secs(&self.request, issued_at_secs).map_or(AskedExp::Invalid, AskedExp::At);
        if let Some(end_secs) = moment.expiry(asked).map_err(Unwritten::Ring)? {
            cut(&mut plan, end_secs);
        }
        mint::write(&plan, issued_at_secs.saturating_mul(1_000)).map_err(Unwritten::Mint)
    }

    /// What the ring's refusal means for the caller.
    fn of_ring(&self, refusal: &RingRefusal) -> Uncreated {
        match refusal {
            // Whichever member asked for a life that the ring does not grant.
            RingRefusal::Expiry(_) if self.request.payload.get("exp").is_some() => Refusal::Field("payload").into(),
            RingRefusal::Expiry(_) => Refusal::Field("validity").into(),
            RingRefusal::Hsm(signer::HsmFault::Busy) => Refusal::Overload.into(),
            RingRefusal::NoRing(_)
            | RingRefusal::Stale
            | RingRefusal::NoSigner
            | RingRefusal::NotReady
            | RingRefusal::ClockSkew => Refusal::Away.into(),
            RingRefusal::Hsm(_) => Uncreated::Away(refusal.code(), refusal.to_string()),
            RingRefusal::HorizonNotStored | RingRefusal::Claims(_) | RingRefusal::Key(_) => {
                Uncreated::Fault(refusal.code(), refusal.to_string())
            }
        }
    }
}

/// What it means that the claims could not be written.
fn of_mint(error: &MintError) -> Uncreated {
    // The only time that is computed, not given: it lies beyond what a NumericDate can be.
    if let MintError::Claims { kind: FaultKind::ExpiryInvalid, .. } = error {
        return Refusal::Field("validity").into();
    }
    Uncreated::Fault("claims_invalid", error.to_string())
}

impl From<Refusal> for Uncreated {
    fn from(refusal: Refusal) -> Uncreated {
        Uncreated::Refusal(refusal)
    }
}
