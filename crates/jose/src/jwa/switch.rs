//! The switches that open what is closed by default, each by its name.

use std::fmt;

/// One thing that is off until somebody names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// HMAC secrets shorter than the hash, never empty ones.
    WeakHmac,
    /// Verifying RS256 and RS512 with a modulus of 1024 to 2047 bits. Signing with one does not exist.
    Rsa1024,
    /// `RSA1_5`, for encrypting and decrypting.
    Rsa1_5,
    /// The three `PBES2` algorithms.
    Pbes2,
    /// `zip`, compression before encryption.
    Zip,
    /// Writing tokens without a signature. Reading one does not exist.
    Unsigned,
    /// `ES256K`.
    Es256k,
    /// The three `ML-DSA` algorithms.
    MlDsa,
    /// `RSA-OAEP-384` and `RSA-OAEP-512`.
    RsaOaepSha2,
}

impl Switch {
    /// Every switch.
    pub const ALL: [Self; 9] = [
        Self::WeakHmac,
        Self::Rsa1024,
        Self::Rsa1_5,
        Self::Pbes2,
        Self::Zip,
        Self::Unsigned,
        Self::Es256k,
        Self::MlDsa,
        Self::RsaOaepSha2,
    ];

    /// The name of the setting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeakHmac => "allow_weak_hmac",
            Self::Rsa1024 => "allow_rsa_1024",
            Self::Rsa1_5 => "allow_rsa1_5",
            Self::Pbes2 => "allow_pbes2",
            Self::Zip => "allow_zip",
            Self::Unsigned => "allow_unsigned",
            Self::Es256k => "allow_es256k",
            Self::MlDsa => "allow_ml_dsa",
            Self::RsaOaepSha2 => "allow_rsa_oaep_sha2",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches(u16);

impl Switches {
    /// All off.
    pub const NONE: Self = Self(0);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, switch: Switch) -> Self {
        Self(self.0 | switch.bit())
    }

    /// Whether the switch is on.
    #[must_use]
    pub const fn has(self, switch: Switch) -> bool {
        self.0 & switch.bit() != 0
    }

    /// Those that are on.
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |switch| self.has(*switch))
    }
}
