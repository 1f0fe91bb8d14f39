//! What JOSE needs of a certificate (RFC 5280): its public key and its thumbprint. No chain is judged here.

use sha2::{Digest, Sha256};

use crate::{
    Error, base64url,
    der::{self, tag},
    jwk::{Jwk, PublicJwk},
    key_der::{Refusal, spki_sequence},
};

/// Most certificates of an `x5c` chain.
pub const X5C_CERTIFICATES_MAX: usize = 8;

/// The `x5t#S256` of a certificate in DER (RFC 7515 section 4.1.8).
#[must_use]
pub fn thumbprint(certificate: &[u8]) -> String {
    base64url::encode(&Sha256::digest(certificate))
}

/// The public key of a certificate in DER. Signature, dates and names are not looked at.
///
/// # Errors
/// [`Error::KeyInvalid`] or [`Error::Unsupported`].
pub fn leaf_key(certificate: &[u8]) -> Result<PublicJwk, Error> {
    match public_key(certificate) {
        Ok(Jwk::Public(jwk)) => Ok(jwk),
        Err(Refusal::Error(error)) => Err(error),
        Ok(Jwk::Private(_)) | Err(Refusal::OtherForm) => Err(Error::key_invalid("x5c", "holds no certificate")),
    }
}

pub(crate) fn public_key(octets: &[u8]) -> Result<Jwk, Refusal> {
    let mut certificate = der::whole(octets)?;
    let mut signed = certificate.sequence()?;
    certificate.sequence()?;
    certificate.bits()?;
    certificate.end()?;
    signed.optional(tag::explicit(0))?;
    signed.value(tag::INTEGER)?;
    for _signature_issuer_validity_subject in 0..4 {
        signed.sequence()?;
    }
    spki_sequence(signed.sequence()?)
}
