//! ECDSA with fixed-length signatures (RFC 7518 section 3.4, RFC 8812).

use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair, ParsedPublicKey,
};

use super::{EcCurve, rsassa::backend_draws};
use crate::{Error, der, jwk::EcPublic};

pub(crate) fn signer(public: &EcPublic, d: &[u8]) -> Result<EcdsaKeyPair, Error> {
    EcdsaKeyPair::from_private_key_and_public_key(signing(public.curve), d, &public.point())
        .map_err(|_| Error::key_invalid("d", "is out of range or does not belong to `x` and `y`"))
}

pub(crate) fn sign(pair: &EcdsaKeyPair, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let signature = pair
        .sign(backend_draws(), input)
        .map_err(|_| Error::SelfCheck { why: "the backend made no ECDSA signature" })?;
    out.extend_from_slice(signature.as_ref());
    Ok(())
}

/// Parses the point; one that is not on the curve, or at infinity, is refused.
pub(crate) fn verifier(public: &EcPublic) -> Result<ParsedPublicKey, Error> {
    ParsedPublicKey::new(verification(public.curve), public.point())
        .map_err(|_| Error::key_invalid("x", "and `y` are no point of the curve"))
}

/// The public half of a private scalar.
pub(crate) fn public_of(curve: EcCurve, d: &[u8]) -> Result<EcPublic, Error> {
    let pair = EcdsaKeyPair::from_private_key_der(signing(curve), &der::sec1_private_key(curve, d, None))
        .map_err(|_| Error::key_invalid("d", "is out of range"))?;
    Ok(EcPublic::from_point(curve, pair.public_key().as_ref()).expect("the backend writes uncompressed points"))
}

fn signing(curve: EcCurve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        EcCurve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        EcCurve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        EcCurve::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        EcCurve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
    }
}

fn verification(curve: EcCurve) -> &'static EcdsaVerificationAlgorithm {
    match curve {
        EcCurve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        EcCurve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
        EcCurve::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        EcCurve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_FIXED,
    }
}
