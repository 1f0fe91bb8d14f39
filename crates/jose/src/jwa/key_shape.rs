//! The kinds and sizes of keys that a row asks for.

use std::fmt;

use super::ContentEncryption;

/// A curve of `kty` `EC` (RFC 7518 section 6.2, RFC 8812).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EcCurve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// SEC 2 secp256k1.
    Secp256k1,
}

impl EcCurve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// The `crv` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    /// Octets of a coordinate and of the private scalar.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A curve of `kty` `OKP` (RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OkpCurve {
    /// For EdDSA.
    Ed25519,
    /// For EdDSA; keys can be held, not used.
    Ed448,
    /// For ECDH-ES.
    X25519,
    /// For ECDH-ES; keys can be held, not used.
    X448,
}

impl OkpCurve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::Ed25519, Self::Ed448, Self::X25519, Self::X448];

    /// The `crv` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::X25519 => "X25519",
            Self::X448 => "X448",
        }
    }

    /// Octets of the public key, and of the private one.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Ed25519 | Self::X25519 => 32,
            Self::Ed448 => 57,
            Self::X448 => 56,
        }
    }
}

/// A parameter set of ML-DSA (FIPS 204, RFC 9964).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MlDsaSet {
    /// ML-DSA-44
    MlDsa44,
    /// ML-DSA-65
    MlDsa65,
    /// ML-DSA-87
    MlDsa87,
}

impl MlDsaSet {
    /// Every set.
    pub const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];
    /// Octets of the seed, the only private form.
    pub const SEED_OCTETS: usize = 32;

    /// The `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// Octets of the public key.
    #[must_use]
    pub const fn public_octets(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// Octets of a signature.
    #[must_use]
    pub const fn signature_octets(self) -> usize {
        match self {
            Self::MlDsa44 => 2420,
            Self::MlDsa65 => 3309,
            Self::MlDsa87 => 4627,
        }
    }
}

/// The size of an AES key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AesSize {
    /// 128 bits.
    Aes128,
    /// 192 bits.
    Aes192,
    /// 256 bits.
    Aes256,
}

impl AesSize {
    /// Octets of the key.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }
}

/// The keys that a row takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyShape {
    /// `oct` of at least this many octets.
    OctAtLeast(usize),
    /// `oct` of exactly this many octets.
    OctExact(usize),
    /// `oct` of the size that the `enc` asks for.
    OctCek,
    /// `RSA`
    Rsa,
    /// `EC` on one curve.
    Ec(EcCurve),
    /// `OKP` on one curve.
    Okp(OkpCurve),
    /// `EC` on P-256, P-384, P-521, or `OKP` on X25519.
    Agreement,
    /// `AKP` of one parameter set.
    Akp(MlDsaSet),
    /// A password, never an `oct` key.
    Password,
}

impl KeyShape {
    /// Whether a row that asks for this takes a key of the shape `found`. How long an `oct` key must be for HMAC is
    /// not asked here: a switch may admit a shorter one.
    #[must_use]
    pub fn takes(self, found: Self) -> bool {
        match (self, found) {
            (Self::OctAtLeast(_), Self::OctExact(_)) => true,
            (Self::OctCek, Self::OctExact(octets)) => ContentEncryption::ALL.iter().any(|row| row.cek_octets == octets),
            (Self::Agreement, Self::Ec(curve)) => curve != EcCurve::Secp256k1,
            (Self::Agreement, Self::Okp(curve)) => curve == OkpCurve::X25519,
            (wanted, found) => wanted == found,
        }
    }
}

impl fmt::Display for KeyShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OctAtLeast(octets) => write!(f, "an `oct` key of at least {octets} octets"),
            Self::OctExact(octets) => write!(f, "an `oct` key of exactly {octets} octets"),
            Self::OctCek => f.write_str("an `oct` key as long as its `enc` asks for"),
            Self::Rsa => f.write_str("an `RSA` key"),
            Self::Ec(curve) => write!(f, "an `EC` key on {}", curve.name()),
            Self::Okp(curve) => write!(f, "an `OKP` key on {}", curve.name()),
            Self::Agreement => f.write_str("an `EC` key on P-256, P-384 or P-521, or an `OKP` key on X25519"),
            Self::Akp(set) => write!(f, "an `AKP` key for {}", set.name()),
            Self::Password => f.write_str("a password"),
        }
    }
}
