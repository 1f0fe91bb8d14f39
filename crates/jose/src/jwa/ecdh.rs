//! Diffie-Hellman on P-256, P-384, P-521 and X25519 (RFC 7518 section 4.6, RFC 8037 section 3.2).

use aws_lc_rs::agreement::{self, PrivateKey};

use crate::Error;

/// The public half of an X25519 key of 32 octets.
pub(crate) fn x25519_public_of(d: &[u8]) -> Result<Vec<u8>, Error> {
    let key = PrivateKey::from_private_key(&agreement::X25519, d).ok();
    let public = key.and_then(|key| key.compute_public_key().ok());
    public
        .map(|public| public.as_ref().to_vec())
        .ok_or_else(|| Error::key_invalid("d", "is no X25519 key"))
}
