//! Octets in which no two different rows look the same: what the hash chains are made of.

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// A row on its way into a digest, column by column, each with its length in front.
#[derive(Default)]
pub(crate) struct Canonical(Sha256);

impl Canonical {
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.0.update((octets.len() as u64).to_be_bytes());
        self.0.update(octets);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.octets(text.as_bytes());
    }

    pub(crate) fn integer(&mut self, number: i64) {
        self.octets(&number.to_be_bytes());
    }

    pub(crate) fn optional(&mut self, octets: Option<&[u8]>) {
        self.0.update([u8::from(octets.is_some())]);
        self.octets(octets.unwrap_or_default());
    }

    pub(crate) fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}
