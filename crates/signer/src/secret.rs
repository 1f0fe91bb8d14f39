//! Secret octets: shown to nobody, wiped when dropped.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret. It has no Debug, Display or Clone, so that it reaches no log by accident and has one place to be wiped.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the octets over; the caller keeps no copy.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets, for the moment of their use.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing, or nothing but blanks, is in it: such a secret counts as missing.
    pub fn is_blank(&self) -> bool {
        self.0.trim_ascii().is_empty()
    }

    /// Whether both are the same octets, in a time that tells at most their lengths.
    pub fn equals(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(octets: Zeroizing<Vec<u8>>) -> Self {
        Self(octets)
    }
}
