//! Keys that never leave a PKCS#11 token: made there, named by their `CKA_ID`, asked to sign by threads of their own
//! (key ring contract, section 11).

mod crew;
mod desk;
mod key;
mod template;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jose::RsaBits;
use jose::jwa::SignatureAlgorithm;
use jose::jwk::PublicJwk;

use crate::{Secret, hex};
use crew::Crew;
use desk::Device;

pub use key::HsmKey;

/// How long a signature may take, the wait for a session included.
pub const SIGN_DEADLINE: Duration = Duration::from_secs(2);
/// How long an answer to anything else may take: making an RSA key takes some tokens most of a minute.
const SLOW_DEADLINE: Duration = Duration::from_secs(60);
/// So many failures in a row, and the token is left alone for a moment.
const FAILURES_MAX: u32 = 5;
/// How long it is left alone.
const REST: Duration = Duration::from_secs(1);
/// Octets of a `CKA_ID` that is made here.
const ID_OCTETS: usize = 16;

/// Where a token is, and what opens it.
pub struct HsmSettings {
    /// The vendor's module, a shared library.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The user's PIN.
    pub pin: Secret,
}

/// A token that is logged in to, and the threads that ask it.
pub struct Hsm {
    crew: Crew,
    failures: Mutex<Failures>,
}

/// A pair that was made in a token.
pub struct MadePair {
    /// Its `CKA_ID`, in hexadecimal digits.
    pub id: String,
    /// Its public half.
    pub public: PublicJwk,
}

/// One `CKA_ID` in a token, and which halves lie under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPair {
    /// The `CKA_ID`, in hexadecimal digits.
    pub id: String,
    /// The label that it was made under.
    pub label: String,
    /// Whether the private half is there.
    pub has_private: bool,
    /// Whether the public half is there.
    pub has_public: bool,
}

/// Why a token did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HsmFault {
    /// As much waits for it as may, or nobody got round to it in time.
    #[error("too much waits for the PKCS#11 token")]
    Busy,
    /// It was asked and did not answer in time.
    #[error("the PKCS#11 token did not answer in time")]
    Timeout,
    /// It is gone, or it failed.
    #[error("the PKCS#11 token is away: {0}")]
    Away(String),
    /// It refused the PIN. It is not tried again: tokens lock after a few wrong ones.
    #[error("the PKCS#11 token refused the PIN; correct it and start again")]
    PinRefused,
    /// It has no private key of that `CKA_ID`.
    #[error("the PKCS#11 token has no private key with the id {0}")]
    NoKey(String),
    /// It, or the module, cannot do what is asked.
    #[error("the PKCS#11 token cannot do this: {0}")]
    Refused(String),
}

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    resting_until: Option<Instant>,
}

impl HsmFault {
    /// The fixed name of this kind, for logs and replies.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "hsm_busy",
            Self::Timeout => "hsm_timeout",
            Self::Away(_) => "hsm_away",
            Self::PinRefused => "hsm_pin_refused",
            Self::NoKey(_) => "hsm_no_key",
            Self::Refused(_) => "hsm_refused",
        }
    }

    /// Whether it says something of the token's health.
    fn is_failure(&self) -> bool {
        match self {
            Self::Timeout | Self::Away(_) => true,
            Self::Busy | Self::PinRefused | Self::NoKey(_) | Self::Refused(_) => false,
        }
    }
}

impl Hsm {
    /// Loads the module. The token may come later: it is looked for whenever it is asked.
    ///
    /// # Errors
    /// [`HsmFault::Refused`] for a file that is no such module, [`HsmFault::Away`] if it does not start.
    pub fn load(settings: HsmSettings) -> Result<Arc<Self>, HsmFault> {
        let device = Arc::new(Device::load(settings)?);
        Ok(Arc::new(Self { crew: Crew::start(device), failures: Mutex::default() }))
    }

    /// Finds the token and logs in, if that was not done.
    ///
    /// # Errors
    /// [`HsmFault`].
    pub fn check(&self) -> Result<(), HsmFault> {
        self.ask(SIGN_DEADLINE, |_session| Ok(()))
    }

    /// Makes a pair whose private half is sensitive and cannot be taken out. `rsa_bits` counts for RSA alone.
    ///
    /// # Errors
    /// [`HsmFault::Refused`] for an algorithm that tokens do not know here; [`HsmFault`].
    pub fn generate(
        &self,
        algorithm: &'static SignatureAlgorithm,
        rsa_bits: RsaBits,
        label: &str,
    ) -> Result<MadePair, HsmFault> {
        let mut id = [0; ID_OCTETS];
        jose::Random::fill(&mut crate::RandomPool::new(), &mut id)
            .map_err(|_| HsmFault::Refused("the source of random octets failed".to_owned()))?;
        let label = label.to_owned();
        let public = self.ask(SLOW_DEADLINE, move |session| session.generate(algorithm, rsa_bits, &id, &label))?;
        Ok(MadePair { id: hex::encode(&id), public })
    }

    /// Destroys every object of this `CKA_ID`; what is not there is destroyed already.
    ///
    /// # Errors
    /// [`HsmFault`].
    pub fn destroy(&self, id: &str) -> Result<(), HsmFault> {
        let id = octets(id)?;
        self.ask(SLOW_DEADLINE, move |session| session.destroy(&id))
    }

    /// The key pairs and halves in the token, by id: to be held against the rows that name them.
    ///
    /// # Errors
    /// [`HsmFault`].
    pub fn held(&self) -> Result<Vec<HeldPair>, HsmFault> {
        self.ask(SLOW_DEADLINE, |session| session.held())
    }

    /// Whether the token refused the PIN.
    pub fn is_locked_out(&self) -> bool {
        self.crew.device().is_pin_refused()
    }

    fn sign(&self, algorithm: &'static SignatureAlgorithm, id: &[u8], input: &[u8]) -> Result<Vec<u8>, HsmFault> {
        let (id, input) = (id.to_vec(), input.to_vec());
        self.ask(SIGN_DEADLINE, move |session| session.sign(algorithm, &id, &input))
    }

    /// Asks, unless the token failed so often of late that it is left alone.
    fn ask<T: Send + 'static>(&self, deadline: Duration, work: impl desk::Work<T>) -> Result<T, HsmFault> {
        if self.failures().resting_until.is_some_and(|until| Instant::now() < until) {
            return Err(HsmFault::Away("it failed several times and is left alone for a moment".to_owned()));
        }
        let outcome = self.crew.ask(deadline, work);
        let mut failures = self.failures();
        match &outcome {
            Err(fault) if fault.is_failure() => {
                failures.in_a_row += 1;
                failures.resting_until = (failures.in_a_row >= FAILURES_MAX).then(|| Instant::now() + REST);
            }
            Err(HsmFault::Busy) => {}
            Ok(_) | Err(_) => *failures = Failures::default(),
        }
        outcome
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn octets(id: &str) -> Result<Vec<u8>, HsmFault> {
    let mut octets = vec![0; id.len() / 2];
    if hex::decode(id.as_bytes(), &mut octets) { Ok(octets) } else { Err(HsmFault::NoKey(id.to_owned())) }
}
