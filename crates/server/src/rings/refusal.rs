//! Why a ring signs nothing or shows nothing, in kinds that a listener has its own words for.

use http::StatusCode;
use keyring::ExpiryRefusal;

/// Why there is no token, or no key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingRefusal {
    /// There is no such ring.
    #[error("there is no ring {0}")]
    NoRing(String),
    /// The store has not answered for so long that another process may have changed everything.
    #[error("the store has not answered for longer than the ring's max_staleness")]
    Stale,
    /// The ring has no key yet, or its signer was revoked and has no successor.
    #[error("the ring has no key that signs")]
    NoSigner,
    /// The first key of the ring is not shown by every replica yet.
    #[error("the ring is new, and another replica does not show its first key yet; it signs in a moment")]
    NotReady,
    /// Nobody knows what time it is: the store's clock was not read within its bound.
    #[error("the clock of the store is not known within clock_error")]
    ClockSkew,
    /// A token would outlive its key, and that could not be stored.
    #[error("the horizon of the key could not be stored")]
    HorizonNotStored,
    /// Its `exp` is not one that the ring allows.
    #[error(transparent)]
    Expiry(#[from] ExpiryRefusal),
    /// The claims could not be written, in the caller's words.
    #[error("{0}")]
    Claims(String),
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] signer::Fault),
    /// The token that keeps the key did not.
    #[error(transparent)]
    Hsm(#[from] signer::HsmFault),
}

impl From<signer::Unsigned> for RingRefusal {
    fn from(unsigned: signer::Unsigned) -> Self {
        match unsigned {
            signer::Unsigned::Key(fault) => Self::Key(fault),
            signer::Unsigned::Hsm(fault) => Self::Hsm(fault),
        }
    }
}

impl RingRefusal {
    /// The fixed name of this kind, for logs and replies.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRing(_) => "no_ring",
            Self::Stale => "stale_ring",
            Self::NoSigner => "no_signer",
            Self::NotReady => "ring_not_ready",
            Self::ClockSkew => "clock_skew",
            Self::HorizonNotStored => "horizon_not_stored",
            Self::Expiry(refusal) => refusal.code(),
            Self::Claims(_) => "claims_invalid",
            Self::Key(_) => "key_failed",
            Self::Hsm(fault) => fault.code(),
        }
    }

    /// The status that says as much as a stranger may know.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoRing(_) => StatusCode::NOT_FOUND,
            Self::Expiry(_) | Self::Claims(_) => StatusCode::BAD_REQUEST,
            Self::Stale | Self::NoSigner | Self::NotReady | Self::ClockSkew | Self::HorizonNotStored | Self::Hsm(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Key(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
