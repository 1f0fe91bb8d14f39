//! Encrypted PKCS#8 (RFC 5958 section 3).

use super::{KeyForm, PrivateDer, Refusal, pbes2, private};
use crate::{
    Error, Random,
    der::{self, sequence, tag, tlv},
    jwk::{Jwk, KEY_IMPORT_BYTES_MAX},
    private::PrivateJwk,
};

impl Jwk {
    /// Reads an encrypted PKCS#8 key, or the one key of a PKCS#12 file, in DER.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`KEY_IMPORT_BYTES_MAX`] or 1 000 000 rounds, [`Error::Unsupported`] for any
    /// encryption but PBES2 with AES and HMAC-SHA-2, [`Error::KeyInvalid`] for a wrong passphrase.
    pub fn from_encrypted_der(octets: &[u8], passphrase: &str) -> Result<Self, Error> {
        if octets.len() > KEY_IMPORT_BYTES_MAX {
            return Err(Error::TooLarge { what: "the key", max: KEY_IMPORT_BYTES_MAX, unit: "octets" });
        }
        match encrypted_pkcs8(octets, passphrase.as_bytes()) {
            Err(Refusal::OtherForm) => {}
            Err(Refusal::Error(error)) => return Err(error),
            Ok(jwk) => return Ok(jwk),
        }
        super::pkcs12::read(octets, passphrase).map_err(|refusal| match refusal {
            Refusal::OtherForm => Error::key_invalid("DER", "is no encrypted PKCS#8 key and no PKCS#12 file"),
            Refusal::Error(error) => error,
        })
    }
}

impl PrivateJwk {
    /// The key as encrypted PKCS#8: AES-256-CBC under PBKDF2 with HMAC-SHA-256.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a symmetric key, [`Error::Random`].
    pub fn to_encrypted_der(&self, passphrase: &str, random: &mut dyn Random) -> Result<PrivateDer, Error> {
        let plain = self.to_der(KeyForm::Pkcs8)?;
        let (identifier, encrypted) = pbes2::encrypt(&plain, passphrase.as_bytes(), random)?;
        Ok(sequence(&[&identifier, &tlv(tag::OCTET_STRING, &[&encrypted])]))
    }
}

/// `EncryptedPrivateKeyInfo`.
pub(super) fn encrypted_pkcs8(octets: &[u8], passphrase: &[u8]) -> Result<Jwk, Refusal> {
    let mut info = der::whole(octets)?;
    let identifier = info.sequence()?;
    let encrypted = info.value(tag::OCTET_STRING)?;
    info.end()?;
    let plain = pbes2::decrypt(identifier, encrypted, passphrase)?;
    private::pkcs8(&plain).map_err(|refusal| match refusal {
        Refusal::OtherForm => pbes2::wrong_passphrase(),
        error @ Refusal::Error(_) => error,
    })
}
