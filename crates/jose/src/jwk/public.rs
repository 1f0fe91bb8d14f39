//! Public keys: their octets, and the checks each of them has passed.

use super::{write_member, write_octets_member};
use crate::{
    Error,
    jwa::{EcCurve, KeyShape, MlDsaSet, OkpCurve, ecdsa, eddsa, ml_dsa},
};

/// Fewest bits of an RSA modulus, unless a switch says otherwise.
pub const RSA_MODULUS_BITS_MIN: usize = 2_048;
/// Most bits of an RSA modulus; the backend goes no further.
pub const RSA_MODULUS_BITS_MAX: usize = 8_192;
/// Largest public exponent of RSA.
pub const RSA_EXPONENT_MAX: u64 = 1 << 32;
/// Fewest bits that are read at all; only a switch lets them verify.
const RSA_MODULUS_BITS_LEGACY_MIN: usize = 1_024;

/// A public key. Every value of it came through the checks of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// `RSA`
    Rsa(RsaPublic),
    /// `EC`
    Ec(EcPublic),
    /// `OKP`
    Okp(OkpPublic),
    /// `AKP` (RFC 9964)
    Akp {
        /// The parameter set, the `alg` of the JWK.
        set: MlDsaSet,
        /// `pub`
        public: Box<[u8]>,
    },
}

/// An RSA public key, big endian, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublic {
    pub(crate) n: Box<[u8]>,
    pub(crate) e: Box<[u8]>,
}

/// A point on a curve, coordinates at full length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcPublic {
    pub(crate) curve: EcCurve,
    pub(crate) x: Box<[u8]>,
    pub(crate) y: Box<[u8]>,
}

/// An `OKP` public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OkpPublic {
    pub(crate) curve: OkpCurve,
    pub(crate) x: Box<[u8]>,
}

impl PublicKey {
    /// The `kty` value.
    #[must_use]
    pub fn kty(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::Ec(_) => "EC",
            Self::Okp(_) => "OKP",
            Self::Akp { .. } => "AKP",
        }
    }

    /// The shape that the table of algorithms knows it by.
    #[must_use]
    pub fn shape(&self) -> KeyShape {
        match self {
            Self::Rsa(_) => KeyShape::Rsa,
            Self::Ec(key) => KeyShape::Ec(key.curve),
            Self::Okp(key) => KeyShape::Okp(key.curve),
            Self::Akp { set, .. } => KeyShape::Akp(*set),
        }
    }

    pub(crate) fn akp(set: MlDsaSet, public: Vec<u8>) -> Result<Self, Error> {
        exact("pub", &public, set.public_octets())?;
        ml_dsa::verifier(set, &public)?;
        Ok(Self::Akp { set, public: public.into() })
    }

    /// Appends the members of the key itself, each after a comma.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Rsa(key) => {
                write_octets_member(out, "n", &key.n);
                write_octets_member(out, "e", &key.e);
            }
            Self::Ec(key) => {
                write_member(out, "crv", key.curve.name());
                write_octets_member(out, "x", &key.x);
                write_octets_member(out, "y", &key.y);
            }
            Self::Okp(key) => {
                write_member(out, "crv", key.curve.name());
                write_octets_member(out, "x", &key.x);
            }
            Self::Akp { set, public } => {
                write_member(out, "alg", set.name());
                write_octets_member(out, "pub", public);
            }
        }
    }
}

impl RsaPublic {
    /// Checks sizes and oddness (RFC 7518 section 6.3.1).
    ///
    /// # Errors
    /// [`Error::KeyInvalid`], naming the member and for `n` the bits found and allowed.
    pub fn new(n: Vec<u8>, e: Vec<u8>) -> Result<Self, Error> {
        for (member, octets) in [("n", &n), ("e", &e)] {
            if octets.first().is_none_or(|first| *first == 0) {
                return Err(Error::key_invalid(member, "is empty or has leading zero octets"));
            }
        }
        let key = Self { n: n.into(), e: e.into() };
        if !(RSA_MODULUS_BITS_LEGACY_MIN..=RSA_MODULUS_BITS_MAX).contains(&key.bits()) {
            return Err(key.wrong_size());
        }
        if key.n.last().is_none_or(|last| last & 1 == 0) {
            return Err(Error::key_invalid("n", "is even"));
        }
        if super::roca::is_marked(&key.n) {
            return Err(Error::key_invalid("n", "bears the mark of primes that can be found (CVE-2017-15361)"));
        }
        let exponent = key.exponent().filter(|e| (3..=RSA_EXPONENT_MAX).contains(e) && e % 2 == 1);
        if exponent.is_none() {
            return Err(Error::key_invalid("e", "must be odd, and 3 to 2^32"));
        }
        Ok(key)
    }

    /// Bits of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.n.len() * 8 - self.n.first().map_or(0, |first| first.leading_zeros() as usize)
    }

    /// Octets of the modulus, and so of a signature.
    #[must_use]
    pub fn modulus_octets(&self) -> usize {
        self.n.len()
    }

    /// The public exponent, if it fits.
    pub(crate) fn exponent(&self) -> Option<u64> {
        let mut octets = [0; 8];
        octets.get_mut(8_usize.checked_sub(self.e.len())?..)?.copy_from_slice(&self.e);
        Some(u64::from_be_bytes(octets))
    }

    pub(crate) fn wrong_size(&self) -> Error {
        let (found, min, max) = (self.bits(), RSA_MODULUS_BITS_MIN, RSA_MODULUS_BITS_MAX);
        Error::key_invalid("n", format!("has {found} bits; allowed are {min} to {max}"))
    }
}

impl EcPublic {
    /// Checks lengths, and that the point is on the curve and not at infinity (RFC 7518 section 6.2.1).
    ///
    /// # Errors
    /// [`Error::KeyInvalid`], naming the member.
    pub fn new(curve: EcCurve, x: Vec<u8>, y: Vec<u8>) -> Result<Self, Error> {
        exact("x", &x, curve.octets())?;
        exact("y", &y, curve.octets())?;
        let key = Self { curve, x: x.into(), y: y.into() };
        ecdsa::verifier(&key)?;
        Ok(key)
    }

    /// The curve.
    #[must_use]
    pub fn curve(&self) -> EcCurve {
        self.curve
    }

    /// Both coordinates behind `04` (SEC 1 section 2.3.3).
    #[must_use]
    pub fn point(&self) -> Vec<u8> {
        [&[4], &*self.x, &*self.y].concat()
    }

    /// Splits an uncompressed point that somebody else has checked; `None` if it has another form.
    pub(crate) fn from_point(curve: EcCurve, point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[4])?;
        let (x, y) = coordinates.split_at_checked(curve.octets())?;
        (y.len() == curve.octets()).then(|| Self { curve, x: x.into(), y: y.into() })
    }
}

impl OkpPublic {
    /// Checks the length, and for Ed25519 form and order (RFC 8037 section 2).
    ///
    /// # Errors
    /// [`Error::KeyInvalid`] for `x`.
    pub fn new(curve: OkpCurve, x: Vec<u8>) -> Result<Self, Error> {
        exact("x", &x, curve.octets())?;
        if curve == OkpCurve::Ed25519 {
            eddsa::check_public(x.as_slice().try_into().expect("the length was just checked"))?;
        }
        Ok(Self { curve, x: x.into() })
    }

    /// The curve.
    #[must_use]
    pub fn curve(&self) -> OkpCurve {
        self.curve
    }
}

/// Refuses octets of another length than `octets`.
pub(crate) fn exact(member: &'static str, found: &[u8], octets: usize) -> Result<(), Error> {
    if found.len() == octets {
        return Ok(());
    }
    Err(Error::key_invalid(member, format!("has {} octets; it must have {octets}", found.len())))
}
