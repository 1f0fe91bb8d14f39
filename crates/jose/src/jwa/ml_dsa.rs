//! ML-DSA with an empty context (FIPS 204, RFC 9964).

use aws_lc_rs::signature::{
    self, KeyPair, ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
};

use super::MlDsaSet;
use crate::Error;

pub(crate) fn signer(set: MlDsaSet, public: &[u8], seed: &[u8]) -> Result<PqdsaKeyPair, Error> {
    let pair = pair(set, seed)?;
    if pair.public_key().as_ref() == public {
        Ok(pair)
    } else {
        Err(Error::key_invalid("priv", "does not belong to `pub`"))
    }
}

pub(crate) fn sign(pair: &PqdsaKeyPair, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    out.resize(start + pair.algorithm().signature_len(), 0);
    match pair.sign(input, &mut out[start..]) {
        Ok(octets) => {
            out.truncate(start + octets);
            Ok(())
        }
        Err(_) => {
            out.truncate(start);
            Err(Error::SelfCheck { why: "the backend made no ML-DSA signature" })
        }
    }
}

pub(crate) fn verifier(set: MlDsaSet, public: &[u8]) -> Result<ParsedPublicKey, Error> {
    ParsedPublicKey::new(verification(set), public)
        .map_err(|_| Error::key_invalid("pub", format!("is no {} public key", set.name())))
}

/// The public half of a seed of 32 octets.
pub(crate) fn public_of(set: MlDsaSet, seed: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(pair(set, seed)?.public_key().as_ref().to_vec())
}

fn pair(set: MlDsaSet, seed: &[u8]) -> Result<PqdsaKeyPair, Error> {
    PqdsaKeyPair::from_seed(signing(set), seed).map_err(|_| Error::key_invalid("priv", "is no seed of 32 octets"))
}

fn signing(set: MlDsaSet) -> &'static PqdsaSigningAlgorithm {
    match set {
        MlDsaSet::MlDsa44 => &signature::ML_DSA_44_SIGNING,
        MlDsaSet::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        MlDsaSet::MlDsa87 => &signature::ML_DSA_87_SIGNING,
    }
}

fn verification(set: MlDsaSet) -> &'static PqdsaVerificationAlgorithm {
    match set {
        MlDsaSet::MlDsa44 => &signature::ML_DSA_44,
        MlDsaSet::MlDsa65 => &signature::ML_DSA_65,
        MlDsaSet::MlDsa87 => &signature::ML_DSA_87,
    }
}
