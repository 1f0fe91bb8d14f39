//! HMAC with SHA-2 (RFC 7518 section 3.2), the states behind both pads kept with the key.

use sha2::{Digest, Sha256, Sha384, Sha512, digest::common::BlockSizeUser};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::Sha2;

/// Octets of a block of SHA-512.
const BLOCK_OCTETS_MAX: usize = 128;

/// An HMAC key, ready to be used often.
pub(crate) struct HmacKey(HmacState);

/// The inner and outer hash, one step into each pad or further.
#[derive(Clone)]
enum HmacState {
    Sha256(Pads<Sha256>),
    Sha384(Pads<Sha384>),
    Sha512(Pads<Sha512>),
}

#[derive(Clone)]
struct Pads<D> {
    inner: D,
    outer: D,
}

/// A MAC under way: the key and the octets so far. Cloning one saves hashing a constant beginning again.
#[derive(Clone)]
pub(crate) struct HmacContext(HmacState);

/// A MAC: as many octets as the hash has.
pub(crate) struct Mac {
    octets: [u8; 64],
    len: usize,
}

impl HmacKey {
    pub(crate) fn new(hash: Sha2, secret: &[u8]) -> Self {
        Self(match hash {
            Sha2::Sha256 => HmacState::Sha256(Pads::new(secret)),
            Sha2::Sha384 => HmacState::Sha384(Pads::new(secret)),
            Sha2::Sha512 => HmacState::Sha512(Pads::new(secret)),
        })
    }

    pub(crate) fn context(&self) -> HmacContext {
        HmacContext(self.0.clone())
    }

    pub(crate) fn mac(&self, input: &[u8]) -> Mac {
        let mut context = self.context();
        context.update(input);
        context.finish()
    }

    /// Whether `mac` is that of `input`, in constant time. A MAC of another length is none.
    pub(crate) fn verify(&self, input: &[u8], mac: &[u8]) -> bool {
        self.mac(input).as_ref().ct_eq(mac).into()
    }
}

impl HmacContext {
    pub(crate) fn update(&mut self, input: &[u8]) {
        match &mut self.0 {
            HmacState::Sha256(pads) => pads.inner.update(input),
            HmacState::Sha384(pads) => pads.inner.update(input),
            HmacState::Sha512(pads) => pads.inner.update(input),
        }
    }

    pub(crate) fn finish(self) -> Mac {
        match self.0 {
            HmacState::Sha256(pads) => pads.finish(),
            HmacState::Sha384(pads) => pads.finish(),
            HmacState::Sha512(pads) => pads.finish(),
        }
    }
}

impl<D: Digest + BlockSizeUser> Pads<D> {
    fn new(secret: &[u8]) -> Self {
        let mut pad = Zeroizing::new([0; BLOCK_OCTETS_MAX]);
        let block = &mut pad[..D::block_size()];
        if secret.len() <= block.len() {
            block[..secret.len()].copy_from_slice(secret);
        } else {
            let mut hashed = D::digest(secret);
            block[..hashed.len()].copy_from_slice(&hashed);
            hashed.as_mut_slice().zeroize();
        }
        block.iter_mut().for_each(|octet| *octet ^= 0x36);
        let inner = D::new_with_prefix(&*block);
        block.iter_mut().for_each(|octet| *octet ^= 0x36 ^ 0x5C);
        Self { inner, outer: D::new_with_prefix(&*block) }
    }

    fn finish(self) -> Mac {
        let mut mac = Mac { octets: [0; 64], len: <D as Digest>::output_size() };
        let digest = self.outer.chain_update(self.inner.finalize()).finalize();
        mac.octets[..mac.len].copy_from_slice(&digest);
        mac
    }
}

impl AsRef<[u8]> for Mac {
    fn as_ref(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// JO-74: cached states equal the backend's HMAC for keys and inputs of every length, cut anywhere.
        #[test]
        fn equals_the_backend(secret in proptest::collection::vec(any::<u8>(), 1..300),
                              input in proptest::collection::vec(any::<u8>(), 0..600), cut in 0..600_usize) {
            for (hash, theirs) in [(Sha2::Sha256, hmac::HMAC_SHA256), (Sha2::Sha384, hmac::HMAC_SHA384), (Sha2::Sha512, hmac::HMAC_SHA512)] {
                let expected = hmac::sign(&hmac::Key::new(theirs, &secret), &input);
                let key = HmacKey::new(hash, &secret);
                let mut context = key.context();
                let (head, tail) = input.split_at(cut.min(input.len()));
                context.update(head);
                let mut branch = context.clone();
                branch.update(tail);
                let (pieces, whole) = (branch.finish(), key.mac(&input));
                prop_assert_eq!(pieces.as_ref(), expected.as_ref());
                prop_assert_eq!(whole.as_ref(), expected.as_ref());
                prop_assert!(key.verify(&input, expected.as_ref()));
                prop_assert!(!key.verify(&input, &expected.as_ref()[1..]));
            }
        }
    }
}
