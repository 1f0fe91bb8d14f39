//! A private key in a token, asked as one in memory is.

use std::sync::Arc;

use jose::VerifyingKey;
use jose::jwa::{SignatureAlgorithm, Switches};
use jose::jwk::{PublicJwk, PublicKey};
use jose::jws::{ProtectedHeader, Remote};

use super::{Hsm, HsmFault, octets};
use crate::Error;

/// A private key that lies in a token, and its public half, which holds every signature against it.
pub struct HsmKey {
    hsm: Arc<Hsm>,
    id: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
    public: PublicJwk,
    check: VerifyingKey,
}

impl HsmKey {
    /// Names the key that lies under this `CKA_ID`, without asking the token for it.
    ///
    /// # Errors
    /// [`Error::KeyRefused`] if the public half does not fit the algorithm, or the id is none.
    pub(crate) fn new(
        hsm: Arc<Hsm>,
        id: &str,
        algorithm: &'static SignatureAlgorithm,
        public: &PublicJwk,
    ) -> Result<Self, Error> {
        let check = VerifyingKey::new(algorithm, public, Switches::NONE).map_err(Error::refused)?;
        let id = octets(id).map_err(|fault| Error::KeyRefused { why: fault.to_string() })?;
        Ok(Self { hsm, id, algorithm, public: public.clone(), check })
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.public.parameters.kid.as_deref()
    }

    pub(crate) fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }

    pub(crate) fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// Has the token sign, and believes no signature that does not hold.
    pub(crate) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, HsmFault> {
        let signature = self.hsm.sign(self.algorithm, &self.id, input)?;
        self.check.verify(input, &signature).map_err(|_| doubtful())?;
        Ok(signature)
    }

    /// The compact token of these claims.
    pub(crate) fn mint(&self, header: &ProtectedHeader, claims: &[u8]) -> Result<Vec<u8>, HsmFault> {
        let modulus_octets = if let PublicKey::Rsa(rsa) = &self.public.key { rsa.modulus_octets() } else { 0 };
        let too_large = |error: jose::Error| HsmFault::Refused(error.to_string());
        let remote = Remote::begin(header, claims, modulus_octets).map_err(too_large)?;
        let signature = self.hsm.sign(self.algorithm, &self.id, remote.input())?;
        remote.finish(&signature, Some(&self.check)).map_err(|_| doubtful())
    }
}

fn doubtful() -> HsmFault {
    HsmFault::Away("it gave a signature that does not hold".to_owned())
}
