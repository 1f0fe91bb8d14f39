//! Tokens without a listener: the road of the command line through the same engine and signer.

mod envelope;
mod ring;

pub use envelope::{Envelope, Serialization};
pub use ring::{RingMint, RingMinted};

use engine::Context;
use plan::{ClaimPlan, FaultKind, KeySource, Lifetime, Text, TokenPlan};
use signer::{Fault, KeyName, Minter, Software};

use crate::effects::sign;

/// Why no token was minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The header names a member twice, or one that is not the caller's to set.
    #[error(transparent)]
    Header(jose::Error),
    /// The key did not sign.
    #[error(transparent)]
    Key(Fault),
    /// The claims cannot be written.
    #[error("{why}")]
    Claims {
        /// What kind of thing went wrong.
        kind: FaultKind,
        /// One sentence for the caller.
        why: Text,
    },
    /// The plan is not what it should be; a mistake of ours.
    #[error("{0}")]
    Internal(String),
}

/// Mints tokens of one kind: one key, one header, claims of their own each.
pub struct Mint {
    minter: Minter,
    kind: TokenPlan,
}

impl Mint {
    /// Mints by this plan, whose key is one that was handed to the signer.
    ///
    /// # Errors
    /// [`MintError::Header`], [`MintError::Internal`].
    pub fn new(signer: &Software, kind: TokenPlan) -> Result<Self, MintError> {
        let KeySource::Given(name) = &kind.key else {
            return Err(MintError::Internal("the key is not handed in".to_owned()));
        };
        let minter = sign::compile(signer, &KeyName::Given(name.to_string()), &kind).map_err(MintError::Header)?;
        Ok(Self { minter, kind })
    }

    /// Mints one token of these claims and this lifetime.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn mint(&self, claims: Vec<ClaimPlan>, lifetime: Lifetime, now_epoch_ms: i64) -> Result<String, MintError> {
        let claims = write(&TokenPlan { claims, lifetime, ..self.kind.clone() }, now_epoch_ms)?;
        self.minter.mint(&claims).map(|minted| minted.token).map_err(MintError::Key)
    }
}

/// The claims of one token, written by the engine as an op of a flow would have them.
pub(crate) fn write(plan: &TokenPlan, now_epoch_ms: i64) -> Result<Vec<u8>, MintError> {
    // Such a plan makes no fresh ids.
    let context = Context { now_epoch_ms, random: 0 };
    engine::claims_alone(plan, &context).map_err(|fault| MintError::Claims { kind: fault.kind, why: fault.message })
}
