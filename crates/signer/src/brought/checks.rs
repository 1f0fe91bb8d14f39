//! What a key is held against before it is used: its other view, its size, the length of a secret.

use jose::jwa::{KeyShape, SignatureAlgorithm, SignatureFamily, Switch, Switches};
use jose::jwk::{Jwk, PublicKey};
use jose::{PrivateJwk, RsaBits};
use zeroize::Zeroizing;

use super::keys::{Candidate, only};
use super::{Brought, Layer, unfit};
use crate::fault::{Fault, FaultKind};
use crate::{Secret, Software};

/// Octets of the digest that names a shared secret: 128 bits.
const KID_OCTETS: usize = 16;

impl Software {
    /// Whether the key is what its layer says of it.
    ///
    /// # Errors
    /// What does not match what.
    pub(super) fn check_layer(&self, layer: &Layer<'_>, candidate: &Candidate) -> Result<(), Fault> {
        candidate.check_bits(layer.rsa_bits)?;
        self.check_also(layer.also, candidate)
    }

    /// Whether the key agrees with its other view, if it has one.
    ///
    /// # Errors
    /// That they do not match.
    pub(super) fn check_also(&self, also: Option<Brought<'_>>, candidate: &Candidate) -> Result<(), Fault> {
        let Some(also) = also else { return Ok(()) };
        only(self.candidates(also)?, |other| candidate.check_same(other))
    }

    /// The name of a key that has none: its thumbprint; for a shared secret 128 bits of its digest under the install salt.
    pub(super) fn made_kid(&self, candidate: &Candidate) -> String {
        match candidate.key.public() {
            Some(public) => public.thumbprint(),
            None => self.kid_of(&written(candidate)),
        }
    }

    /// The name of a shared secret that has none of its own, as tokens that it signs bear it.
    pub fn kid_of_secret(&self, secret: &PrivateJwk) -> String {
        self.kid_of(&written_private(secret))
    }

    fn kid_of(&self, written: &Secret) -> String {
        jose::base64url::encode(&self.keeper().digest(written)[..KID_OCTETS])
    }
}

impl Candidate {
    /// A secret that is too short for its HMAC, told by its length.
    pub(super) fn check_hmac(&self, row: &SignatureAlgorithm, switches: Switches) -> Result<(), Fault> {
        let (SignatureFamily::Hmac(_), KeyShape::OctAtLeast(needed), KeyShape::OctExact(found)) =
            (row.family, row.key, self.shape())
        else {
            return Ok(());
        };
        if found >= needed || switches.has(Switch::WeakHmac) {
            return Ok(());
        }
        let text = format!("{} needs {needed} octets, the secret has {found}", row.name);
        Err(Fault { kind: FaultKind::Length, text })
    }

    fn check_bits(&self, bits: Option<RsaBits>) -> Result<(), Fault> {
        let public = self.key.public();
        let (Some(bits), Some(PublicKey::Rsa(rsa))) = (bits, public.as_ref().map(|public| &public.key)) else {
            return Ok(());
        };
        let asked = match bits {
            RsaBits::Bits2048 => 2048,
            RsaBits::Bits3072 => 3072,
            RsaBits::Bits4096 => 4096,
            RsaBits::Bits8192 => 8192,
        };
        if rsa.bits() == asked {
            return Ok(());
        }
        Err(unfit(format!("the key of {} bits does not match the key size of {asked}", rsa.bits())))
    }

    fn check_same(&self, other: &Self) -> Result<(), Fault> {
        let is_same = match (self.key.public(), other.key.public()) {
            (Some(one), Some(two)) => one.key == two.key,
            (None, None) => written(self).equals(&written(other)),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_same { Ok(()) } else { Err(unfit("the key does not match its other view".to_owned())) }
    }
}

/// A shared secret as the text of a JWK without further members; empty for a public key.
fn written(candidate: &Candidate) -> Secret {
    match &candidate.key {
        Jwk::Private(private) => written_private(private),
        Jwk::Public(_) => Secret::new(Vec::new()),
    }
}

fn written_private(private: &PrivateJwk) -> Secret {
    let mut text = Zeroizing::new(Vec::new());
    private.write_private(&mut text);
    Secret::from(text)
}
