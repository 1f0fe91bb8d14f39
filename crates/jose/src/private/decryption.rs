//! Keys that decrypt, each bound to one algorithm.

use std::num::NonZeroU32;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use zeroize::Zeroizing;

use super::{
    PrivateJwk, Secret, SecretKey,
    encryption::{Cek, direct, draw_cek, no_fit},
};
use crate::{
    Error, Random, base64url,
    header::JoseHeader,
    json::Value,
    jwa::{
        AesSize, ContentEncryption, Grade, KeyAlgorithm, KeyFamily, Sha2, Switches,
        aes_kw::Unwrapper,
        content::{ContentKey, Direction, gcm_key},
        ecdh::{Agreement, Context, Peer},
        pbes2::{self, PBES2_COUNT_MIN, PBES2_SALT_BYTES_MAX, PBES2_SALT_BYTES_MIN},
        rsaes::RsaDecryptor,
    },
    jwk::{KeyParameters, PublicJwk},
};

const GCM_IV_OCTETS: usize = 12;
const GCM_TAG_OCTETS: usize = 16;

/// A key that decrypts with one algorithm. Parsed once, used from any thread, never shown.
pub struct DecryptionKey {
    algorithm: &'static KeyAlgorithm,
    decryptor: Decryptor,
    kid: Option<String>,
    acted: Switches,
}

enum Decryptor {
    Rsa(RsaDecryptor),
    Unwrap(Unwrapper),
    GcmUnwrap(Box<LessSafeKey>),
    Direct(Vec<ContentKey>),
    Agree(Agreement, Option<AesSize>),
    Password(Secret, Sha2, AesSize),
}

/// What one token may still cost in PBKDF2 rounds.
pub(crate) struct Pbes2Budget {
    pub(crate) count_max: u32,
    pub(crate) work_left: u32,
}

impl DecryptionKey {
    /// Binds a private or symmetric key to an algorithm.
    ///
    /// # Errors
    /// As [`super::EncryptionKey::new`].
    pub fn new(algorithm: &'static KeyAlgorithm, jwk: &PrivateJwk, switches: Switches) -> Result<Self, Error> {
        algorithm.permit(switches)?;
        let decryptor = match (algorithm.family, jwk.secret()) {
            (KeyFamily::Rsa1_5, SecretKey::Rsa(_)) => Some(Decryptor::Rsa(RsaDecryptor::new(None, jwk)?)),
            (KeyFamily::RsaOaep(hash), SecretKey::Rsa(_)) => Some(Decryptor::Rsa(RsaDecryptor::new(Some(hash), jwk)?)),
            (KeyFamily::AesKw(size), SecretKey::Oct(secret)) => Unwrapper::new(size, secret).map(Decryptor::Unwrap),
            (KeyFamily::AesGcmKw(size), SecretKey::Oct(secret)) => {
                gcm_key(size, secret).map(|key| Decryptor::GcmUnwrap(Box::new(key)))
            }
            (KeyFamily::Direct, SecretKey::Oct(secret)) => direct(secret, Direction::Open).map(Decryptor::Direct),
            (KeyFamily::EcdhEs(wrap), _) => Agreement::new(jwk).map(|key| Decryptor::Agree(key, wrap)),
            _ => None,
        };
        let decryptor = decryptor.ok_or_else(|| no_fit(algorithm))?;
        permit(jwk.parameters(), algorithm, ["decrypt", "unwrapKey", "deriveKey", "deriveBits"])?;
        Ok(Self { algorithm, decryptor, kid: jwk.parameters().kid.clone(), acted: acted(algorithm) })
    }

    /// Binds a password to a PBES2 algorithm. An `oct` key is no password.
    ///
    /// # Errors
    /// As [`Self::new`]; an empty password is [`Error::KeyInvalid`].
    pub fn from_password(algorithm: &'static KeyAlgorithm, password: &[u8], switches: Switches) -> Result<Self, Error> {
        algorithm.permit(switches)?;
        let KeyFamily::Pbes2(hash, size) = algorithm.family else { return Err(no_fit(algorithm)) };
        if password.is_empty() {
            return Err(Error::key_invalid("password", "is empty"));
        }
        let decryptor = Decryptor::Password(Zeroizing::new(password.to_vec()), hash, size);
        Ok(Self { algorithm, decryptor, kid: None, acted: acted(algorithm) })
    }

    /// The algorithm this key decrypts.
    #[must_use]
    pub fn algorithm(&self) -> &'static KeyAlgorithm {
        self.algorithm
    }

    /// The `kid`, if the key came with one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The switches without which this key would have been refused; each deserves a warning.
    #[must_use]
    pub fn acted(&self) -> Switches {
        self.acted
    }

    /// The CEK. Members of the header that are broken are told; every fault of the cryptography is
    /// [`Error::CannotDecrypt`], or, for RSA, a CEK that the tag will not fit.
    pub(crate) fn decrypt_key(
        &self,
        header: &JoseHeader,
        encrypted: &[u8],
        enc: &'static ContentEncryption,
        budget: &mut Pbes2Budget,
        random: &mut dyn Random,
    ) -> Result<Cek<'_>, Error> {
        let found = match &self.decryptor {
            Decryptor::Direct(keys) => {
                none_expected(encrypted)?;
                return keys.iter().find(|key| key.row() == enc).map(Cek::Shared).ok_or(Error::CannotDecrypt);
            }
            Decryptor::Rsa(key) => Some(key.decrypt(encrypted, &draw_cek(enc, random)?)),
            Decryptor::Unwrap(key) => key.unwrap(encrypted),
            Decryptor::GcmUnwrap(key) => gcm_unwrap(key, header, encrypted)?,
            Decryptor::Agree(key, None) => {
                none_expected(encrypted)?;
                agree(key, header, enc.name, enc.cek_octets)?
            }
            Decryptor::Agree(key, Some(size)) => {
                let kek = agree(key, header, self.algorithm.name, size.octets())?;
                kek.and_then(|kek| Unwrapper::new(*size, &kek)?.unwrap(encrypted))
            }
            Decryptor::Password(password, hash, size) => {
                let (salt, count) = pbes2_members(header, budget)?;
                let kek = pbes2::derive(self.algorithm.name, *hash, *size, count, &salt, password);
                Unwrapper::new(*size, &kek).and_then(|key| key.unwrap(encrypted))
            }
        };
        found.map(Cek::Fresh).ok_or(Error::CannotDecrypt)
    }
}

fn none_expected(encrypted: &[u8]) -> Result<(), Error> {
    if encrypted.is_empty() { Ok(()) } else { Err(Error::malformed("this algorithm has no encrypted key")) }
}

/// RFC 7518 section 4.7.1: `iv` of 12 octets, `tag` of 16.
fn gcm_unwrap(key: &LessSafeKey, header: &JoseHeader, encrypted: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let iv = octets_member(header, "iv")?.ok_or_else(|| Error::header("iv", "is missing"))?;
    let tag = octets_member(header, "tag")?.ok_or_else(|| Error::header("tag", "is missing"))?;
    let iv: [u8; GCM_IV_OCTETS] = iv.try_into().map_err(|_| Error::header("iv", "must have 12 octets"))?;
    if tag.len() != GCM_TAG_OCTETS {
        return Err(Error::header("tag", "must have 16 octets"));
    }
    let mut cek = Zeroizing::new(encrypted.to_vec());
    let nonce = Nonce::assume_unique_for_key(iv);
    let opened = key.open_in_place_separate_tag(nonce, Aad::empty(), &tag, &mut cek).is_ok();
    Ok(opened.then_some(cek))
}

/// RFC 7518 section 4.6.1: `epk` is a public JWK, `apu` and `apv` base64url.
fn agree(key: &Agreement, header: &JoseHeader, name: &str, octets: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let epk = header.get("epk").ok_or_else(|| Error::header("epk", "is missing"))?;
    let epk = epk.as_object().ok_or_else(|| Error::header("epk", "is no JWK"))?;
    let is_secret = ["d", "k", "priv"].iter().any(|member| epk.get(member).is_some());
    if is_secret || epk.get("kty").and_then(Value::as_text).is_none_or(|kty| !matches!(kty, "EC" | "OKP")) {
        return Err(Error::header("epk", "is no public key of an agreement"));
    }
    let apu = octets_member(header, "apu")?.unwrap_or_default();
    let apv = octets_member(header, "apv")?.unwrap_or_default();
    let context = Context { algorithm: name, apu: &apu, apv: &apv, octets };
    let peer = PublicJwk::from_object(epk).ok().and_then(|epk| Peer::new(&epk.key));
    Ok(peer.and_then(|peer| key.derive(&peer, &context)))
}

/// RFC 7518 section 4.8.1: salt and count within their bounds, and the token's work within its own.
fn pbes2_members(header: &JoseHeader, budget: &mut Pbes2Budget) -> Result<(Vec<u8>, NonZeroU32), Error> {
    let salt = octets_member(header, "p2s")?.ok_or_else(|| Error::header("p2s", "is missing"))?;
    if !(PBES2_SALT_BYTES_MIN..=PBES2_SALT_BYTES_MAX).contains(&salt.len()) {
        return Err(Error::header("p2s", "must have 8 to 64 octets"));
    }
    let count = header.get("p2c").and_then(Value::as_number).and_then(|text| text.parse::<NonZeroU32>().ok());
    let max = budget.count_max;
    let within = count.filter(|count| (PBES2_COUNT_MIN..=max).contains(&count.get()));
    let count = within.ok_or_else(|| Error::header("p2c", format!("must be a number, {PBES2_COUNT_MIN} to {max}")))?;
    budget.work_left = budget.work_left.checked_sub(count.get()).ok_or(Error::TooLarge {
        what: "the work of this token",
        max: max as usize,
        unit: "rounds of PBKDF2",
    })?;
    Ok((salt, count))
}

fn octets_member(header: &JoseHeader, name: &'static str) -> Result<Option<Vec<u8>>, Error> {
    let Some(value) = header.get(name) else { return Ok(None) };
    let octets = value.as_text().and_then(|text| base64url::decode(text).ok());
    octets.map(Some).ok_or_else(|| Error::header(name, "is not base64url"))
}

/// Checks `alg`, `use` and `key_ops`. A key for `dir` may name the `enc` instead (RFC 7520 section 5.6).
pub(super) fn permit(parameters: &KeyParameters, algorithm: &KeyAlgorithm, operations: [&str; 4]) -> Result<(), Error> {
    let mut names = vec![algorithm.name];
    if algorithm.family == KeyFamily::Direct {
        names.extend(ContentEncryption::ALL.iter().map(|row| row.name));
    }
    parameters.permit(&names, "enc", &operations)
}

pub(super) fn acted(algorithm: &KeyAlgorithm) -> Switches {
    match algorithm.grade {
        Grade::OptIn(switch) => Switches::NONE.with(switch),
        Grade::Offered | Grade::Gap(_) => Switches::NONE,
    }
}
