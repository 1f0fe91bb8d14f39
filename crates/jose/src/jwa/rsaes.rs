//! RSAES-OAEP and RSAES-PKCS1-v1_5 (RFC 7518 sections 4.2 and 4.3).

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{OaepHash, Sha2};
use crate::{
    Error,
    jwk::PublicKey,
    key_der::{KeyForm, spki_octets},
    private::PrivateJwk,
};

/// An RSA public key that encrypts a CEK.
pub(crate) enum RsaEncryptor {
    Oaep(OaepPublicEncryptingKey, &'static OaepAlgorithm),
    Pkcs1(Pkcs1PublicEncryptingKey),
}

/// An RSA private key that decrypts a CEK.
pub(crate) enum RsaDecryptor {
    Oaep(OaepPrivateDecryptingKey, &'static OaepAlgorithm),
    Pkcs1(Pkcs1PrivateDecryptingKey),
}

impl RsaEncryptor {
    /// `oaep` is the hash, or `None` for PKCS#1 v1.5.
    pub(crate) fn new(oaep: Option<OaepHash>, public: &PublicKey) -> Result<Self, Error> {
        let invalid = || Error::key_invalid("n", "and `e` are no RSA public key");
        let key = PublicEncryptingKey::from_der(&spki_octets(public)).map_err(|_| invalid())?;
        Ok(match oaep {
            Some(hash) => Self::Oaep(OaepPublicEncryptingKey::new(key).map_err(|_| invalid())?, algorithm(hash)),
            None => Self::Pkcs1(Pkcs1PublicEncryptingKey::new(key).map_err(|_| invalid())?),
        })
    }

    /// Appends the encrypted key. Padding draws are the backend's own affair.
    pub(crate) fn encrypt(&self, cek: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let octets = match self {
            Self::Oaep(key, _) => key.ciphertext_size(),
            Self::Pkcs1(key) => key.ciphertext_size(),
        };
        out.resize(start + octets, 0);
        let written = match self {
            Self::Oaep(key, algorithm) => key.encrypt(algorithm, cek, &mut out[start..], None),
            Self::Pkcs1(key) => key.encrypt(cek, &mut out[start..]),
        };
        written.map(drop).map_err(|_| Error::SelfCheck { why: "the backend encrypted no key" })
    }
}

impl RsaDecryptor {
    /// `oaep` is the hash, or `None` for PKCS#1 v1.5.
    pub(crate) fn new(oaep: Option<OaepHash>, jwk: &PrivateJwk) -> Result<Self, Error> {
        let invalid = || Error::key_invalid("d", "makes no RSA key that decrypts");
        let der = jwk.to_der(KeyForm::Pkcs8)?;
        let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| invalid())?;
        Ok(match oaep {
            Some(hash) => Self::Oaep(OaepPrivateDecryptingKey::new(key).map_err(|_| invalid())?, algorithm(hash)),
            None => Self::Pkcs1(Pkcs1PrivateDecryptingKey::new(key).map_err(|_| invalid())?),
        })
    }

    /// The CEK, or `substitute`, which was drawn before, in place of anything else (RFC 7516 section 11.5). The
    /// choice is made in constant time; what is wrong shows only when the tag does not hold.
    pub(crate) fn decrypt(&self, encrypted: &[u8], substitute: &[u8]) -> Zeroizing<Vec<u8>> {
        let octets = match self {
            Self::Oaep(key, _) => key.min_output_size(),
            Self::Pkcs1(key) => key.min_output_size(),
        };
        let mut buffer = Zeroizing::new(vec![0; octets.max(substitute.len())]);
        let found = match self {
            Self::Oaep(key, algorithm) => key.decrypt(algorithm, encrypted, &mut buffer, None).map(|cek| cek.len()),
            Self::Pkcs1(key) => key.decrypt(encrypted, &mut buffer).map(|cek| cek.len()),
        };
        let length = u64::try_from(found.unwrap_or(0)).unwrap_or(0);
        let wanted = u64::try_from(substitute.len()).unwrap_or(u64::MAX);
        let good: Choice = length.ct_eq(&wanted);
        let chosen = substitute
            .iter()
            .zip(buffer.iter())
            .map(|(substitute, found)| u8::conditional_select(substitute, found, good));
        Zeroizing::new(chosen.collect())
    }
}

fn algorithm(hash: OaepHash) -> &'static OaepAlgorithm {
    match hash {
        OaepHash::Sha1 => &OAEP_SHA1_MGF1SHA1,
        OaepHash::Sha2(Sha2::Sha256) => &OAEP_SHA256_MGF1SHA256,
        OaepHash::Sha2(Sha2::Sha384) => &OAEP_SHA384_MGF1SHA384,
        OaepHash::Sha2(Sha2::Sha512) => &OAEP_SHA512_MGF1SHA512,
    }
}
