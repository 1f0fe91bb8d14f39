//! New keys of every kind.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use zeroize::Zeroizing;

use super::{PrivateJwk, Secret, SecretKey};
use crate::{
    Error, Random,
    jwa::{ContentEncryption, EcCurve, KeyAlgorithm, KeyShape, MlDsaSet, OkpCurve, SignatureAlgorithm},
    jwk::{Jwk, KeyParameters},
};

/// A draw is below the order of its curve with a chance of more than one half; so many misses mean a broken source.
pub(crate) const SCALAR_DRAWS_MAX: usize = 128;

/// The size of a new RSA modulus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaBits {
    /// 2048 bits.
    Bits2048,
    /// 3072 bits.
    #[default]
    Bits3072,
    /// 4096 bits.
    Bits4096,
    /// 8192 bits.
    Bits8192,
}

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `oct` of this many octets, not 0.
    Oct(usize),
    /// `RSA`
    Rsa(RsaBits),
    /// `EC`
    Ec(EcCurve),
    /// `OKP`
    Okp(OkpCurve),
    /// `AKP`
    Akp(MlDsaSet),
}

impl KeyKind {
    /// The kind that an algorithm signs with; `oct` as long as its hash.
    #[must_use]
    pub fn for_signature(algorithm: &SignatureAlgorithm) -> Self {
        match algorithm.key {
            KeyShape::OctAtLeast(octets) | KeyShape::OctExact(octets) => Self::Oct(octets),
            KeyShape::Rsa => Self::Rsa(RsaBits::default()),
            KeyShape::Ec(curve) => Self::Ec(curve),
            KeyShape::Okp(curve) => Self::Okp(curve),
            KeyShape::Akp(set) => Self::Akp(set),
            KeyShape::OctCek | KeyShape::Agreement | KeyShape::Password => {
                unreachable!("no row of JWS takes such a key")
            }
        }
    }

    /// The kind that an algorithm encrypts to; for `dir` as long as `enc` asks for, for ECDH-ES on P-256. `None` for
    /// a password, which nobody generates.
    #[must_use]
    pub fn for_encryption(algorithm: &KeyAlgorithm, enc: &ContentEncryption) -> Option<Self> {
        match algorithm.key {
            KeyShape::OctAtLeast(octets) | KeyShape::OctExact(octets) => Some(Self::Oct(octets)),
            KeyShape::OctCek => Some(Self::Oct(enc.cek_octets)),
            KeyShape::Rsa => Some(Self::Rsa(RsaBits::default())),
            KeyShape::Ec(curve) => Some(Self::Ec(curve)),
            KeyShape::Okp(curve) => Some(Self::Okp(curve)),
            KeyShape::Akp(set) => Some(Self::Akp(set)),
            KeyShape::Agreement => Some(Self::Ec(EcCurve::P256)),
            KeyShape::Password => None,
        }
    }
}

impl PrivateJwk {
    /// A new key without members. An RSA key's primes are drawn by the backend, everything else from `random`.
    ///
    /// # Errors
    /// [`Error::Random`] when the source fails, [`Error::Unsupported`] for Ed448 and X448, [`Error::KeyInvalid`]
    /// for an `oct` key of no octets.
    pub fn generate(kind: KeyKind, random: &mut dyn Random) -> Result<Self, Error> {
        let (secret, shape) = match kind {
            KeyKind::Rsa(bits) => return rsa(bits),
            KeyKind::Ec(curve) => return ec(curve, random),
            KeyKind::Oct(octets) => {
                return Self::new(SecretKey::oct(draw(octets, random)?)?, None, KeyParameters::default());
            }
            KeyKind::Okp(curve) => (SecretKey::Okp(draw(curve.octets(), random)?), KeyShape::Okp(curve)),
            KeyKind::Akp(set) => (SecretKey::Akp(draw(MlDsaSet::SEED_OCTETS, random)?), KeyShape::Akp(set)),
        };
        let public = secret.public_of(shape)?;
        Self::new(secret, Some(public), KeyParameters::default())
    }
}

pub(crate) fn draw(octets: usize, random: &mut dyn Random) -> Result<Secret, Error> {
    let mut drawn = Zeroizing::new(vec![0; octets]);
    random.fill(&mut drawn)?;
    Ok(drawn)
}

/// Octets that may be the private half of a key on a curve: whoever finds them out of range draws again.
pub(crate) fn draw_scalar(curve: EcCurve, random: &mut dyn Random) -> Result<Secret, Error> {
    let mut d = draw(curve.octets(), random)?;
    if curve == EcCurve::P521 {
        d[0] &= 1;
    }
    Ok(d)
}

/// Draws until the scalar is in range, so that every one is as likely as the next.
fn ec(curve: EcCurve, random: &mut dyn Random) -> Result<PrivateJwk, Error> {
    for _ in 0..SCALAR_DRAWS_MAX {
        let secret = SecretKey::Ec(draw_scalar(curve, random)?);
        if let Ok(public) = secret.public_of(KeyShape::Ec(curve)) {
            return PrivateJwk::new(secret, Some(public), KeyParameters::default());
        }
    }
    Err(Error::Random)
}

fn rsa(bits: RsaBits) -> Result<PrivateJwk, Error> {
    let size = match bits {
        RsaBits::Bits2048 => KeySize::Rsa2048,
        RsaBits::Bits3072 => KeySize::Rsa3072,
        RsaBits::Bits4096 => KeySize::Rsa4096,
        RsaBits::Bits8192 => KeySize::Rsa8192,
    };
    let pair = KeyPair::generate(size).map_err(|_| Error::Random)?;
    let der: Pkcs8V1Der<'_> =
        pair.as_der().map_err(|_| Error::SelfCheck { why: "the backend does not write its own RSA key" })?;
    match Jwk::from_der(der.as_ref())? {
        Jwk::Private(jwk) => Ok(jwk),
        Jwk::Public(_) => Err(Error::SelfCheck { why: "the backend's RSA key has no private half" }),
    }
}
