//! EdDSA over Ed25519 (RFC 8032, RFC 8037), and which public keys are refused.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};

use crate::Error;

pub(crate) fn signer(public: &[u8], seed: &[u8]) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_seed_and_public_key(seed, public)
        .map_err(|_| Error::key_invalid("d", "does not belong to `x`"))
}

pub(crate) fn sign(pair: &Ed25519KeyPair, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let signature =
        pair.try_sign(input).map_err(|_| Error::SelfCheck { why: "the backend made no Ed25519 signature" })?;
    out.extend_from_slice(signature.as_ref());
    Ok(())
}

pub(crate) fn verifier(public: &[u8]) -> Result<ParsedPublicKey, Error> {
    ParsedPublicKey::new(&ED25519, public).map_err(|_| Error::key_invalid("x", "is no Ed25519 public key"))
}

/// The public half of a seed of 32 octets.
pub(crate) fn public_of(seed: &[u8]) -> Result<Vec<u8>, Error> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::key_invalid("d", "is no Ed25519 seed"))?;
    Ok(pair.public_key().as_ref().to_vec())
}

/// Refuses a public key whose `y` is not below the prime, or whose point has a small order: such a key accepts
/// signatures that nobody made (RFC 8032 section 5.1.3; the backend does not look).
pub(crate) fn check_public(public: &[u8; 32]) -> Result<(), Error> {
    let mut y = *public;
    y[31] &= 0x7F;
    if y.iter().rev().ge(PRIME.iter().rev()) {
        return Err(Error::key_invalid("x", "is not in its one canonical form"));
    }
    if SMALL_ORDER_Y.contains(&y) {
        return Err(Error::key_invalid("x", "is a point of small order"));
    }
    Ok(())
}

/// 2^255 - 19, little endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xFF; 32];
    prime[0] = 0xED;
    prime[31] = 0x7F;
    prime
};

/// `y` of the points of order 4, 1, 8, 8 and 2, little endian; both signs of `x` are meant.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    {
        let mut minus_one = PRIME;
        minus_one[0] = 0xEC;
        minus_one
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// B-07: every encoding of a point of small order, canonical or not, is refused.
    #[test]
    fn small_order_and_overlong_keys_are_refused() {
        for y in SMALL_ORDER_Y {
            for sign in [0x00, 0x80] {
                let mut public = y;
                public[31] |= sign;
                assert!(check_public(&public).is_err());
            }
        }
        for above in 0..19 {
            let mut public = PRIME;
            public[0] += above;
            assert!(check_public(&public).is_err(), "prime + {above}");
        }
        let mut minus_two = PRIME;
        minus_two[0] = 0xEB;
        assert!(check_public(&minus_two).is_ok());
    }
}
