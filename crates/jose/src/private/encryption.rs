//! Keys that encrypt, each bound to one algorithm.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use zeroize::Zeroizing;

use super::{PrivateJwk, Secret, SecretKey, decryption::permit};
use crate::{
    Error, Random, base64url,
    header_plan::{text_member, value_member},
    json::Value,
    jwa::{
        AesSize, ContentEncryption, KeyAlgorithm, KeyFamily, KeyShape, Sha2, Switches,
        aes_kw::Wrapper,
        content::{ContentKey, Direction, gcm_key},
        ecdh::{Context, Peer},
        pbes2::{self, PBES2_COUNT_WRITTEN, PBES2_SALT_BYTES_WRITTEN},
        rsaes::RsaEncryptor,
    },
    jwk::{PublicJwk, PublicKey, RSA_MODULUS_BITS_MIN},
};

/// Most messages that one AES-GCM key object encrypts (NIST SP 800-38D section 8.3, random nonces).
pub const GCM_MESSAGES_MAX: u64 = 1 << 32;
const GCM_IV_OCTETS: usize = 12;

/// A key that encrypts with one algorithm. Parsed once, used from any thread, never shown.
pub struct EncryptionKey {
    algorithm: &'static KeyAlgorithm,
    encryptor: Encryptor,
    kid: Option<String>,
    public: Option<PublicJwk>,
    acted: Switches,
}

enum Encryptor {
    Rsa(RsaEncryptor),
    Wrap(Wrapper),
    GcmWrap(Box<LessSafeKey>, Count),
    Direct(Vec<ContentKey>, Count),
    Agree(Peer, Option<AesSize>),
    Password(Secret, Sha2, AesSize),
}

/// The CEK of one token.
pub(crate) enum Cek<'k> {
    /// Drawn, or derived, for this token.
    Fresh(Zeroizing<Vec<u8>>),
    /// The shared key itself.
    Shared(&'k ContentKey),
}

/// What a recipient gets of a CEK.
pub(crate) struct EncryptedKey<'k> {
    pub(crate) cek: Cek<'k>,
    pub(crate) octets: Vec<u8>,
}

/// The parties that a derived key is bound to.
#[derive(Clone, Copy)]
pub(crate) struct Parties<'a> {
    pub(crate) apu: &'a [u8],
    pub(crate) apv: &'a [u8],
}

impl EncryptionKey {
    /// Binds a public key to an algorithm.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] if the algorithm waits for a switch, [`Error::KeyUnfit`] if kind, curve, `alg`, `use`
    /// or `key_ops` contradict, [`Error::KeyInvalid`] if the key is too small.
    pub fn new(algorithm: &'static KeyAlgorithm, jwk: &PublicJwk, switches: Switches) -> Result<Self, Error> {
        algorithm.permit(switches)?;
        let encryptor = match (algorithm.family, &jwk.key) {
            (KeyFamily::Rsa1_5, PublicKey::Rsa(_)) => Encryptor::Rsa(rsa(None, &jwk.key)?),
            (KeyFamily::RsaOaep(hash), PublicKey::Rsa(_)) => Encryptor::Rsa(rsa(Some(hash), &jwk.key)?),
            (KeyFamily::EcdhEs(wrap), key) => Encryptor::Agree(Peer::new(key).ok_or_else(|| no_fit(algorithm))?, wrap),
            _ => return Err(no_fit(algorithm)),
        };
        permit(&jwk.parameters, algorithm, ["encrypt", "wrapKey", "deriveKey", "deriveBits"])?;
        Ok(Self::bound(algorithm, encryptor, jwk.parameters.kid.clone(), Some(jwk.clone())))
    }

    /// Binds a symmetric key to an algorithm.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_secret(algorithm: &'static KeyAlgorithm, jwk: &PrivateJwk, switches: Switches) -> Result<Self, Error> {
        algorithm.permit(switches)?;
        let SecretKey::Oct(secret) = jwk.secret() else {
            return match jwk.public() {
                Some(public) => Self::new(algorithm, &public, switches),
                None => Err(no_fit(algorithm)),
            };
        };
        let encryptor = match algorithm.family {
            KeyFamily::AesKw(size) => Wrapper::new(size, secret).map(Encryptor::Wrap),
            KeyFamily::AesGcmKw(size) => {
                gcm_key(size, secret).map(|key| Encryptor::GcmWrap(Box::new(key), Count::default()))
            }
            KeyFamily::Direct => direct(secret, Direction::Seal).map(|keys| Encryptor::Direct(keys, Count::default())),
            KeyFamily::Rsa1_5 | KeyFamily::RsaOaep(_) | KeyFamily::EcdhEs(_) | KeyFamily::Pbes2(..) => None,
        };
        let encryptor = encryptor.ok_or_else(|| no_fit(algorithm))?;
        permit(jwk.parameters(), algorithm, ["encrypt", "wrapKey", "encrypt", "wrapKey"])?;
        Ok(Self::bound(algorithm, encryptor, jwk.parameters().kid.clone(), None))
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
        let encryptor = Encryptor::Password(Zeroizing::new(password.to_vec()), hash, size);
        Ok(Self::bound(algorithm, encryptor, None, None))
    }

    fn bound(
        algorithm: &'static KeyAlgorithm,
        encryptor: Encryptor,
        kid: Option<String>,
        public: Option<PublicJwk>,
    ) -> Self {
        Self { algorithm, encryptor, kid, public, acted: super::decryption::acted(algorithm) }
    }

    /// The algorithm this key encrypts with.
    #[must_use]
    pub fn algorithm(&self) -> &'static KeyAlgorithm {
        self.algorithm
    }

    /// The `kid`, if the key came with one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The public key; `None` for a secret or password.
    #[must_use]
    pub fn public(&self) -> Option<&PublicJwk> {
        self.public.as_ref()
    }

    /// The switches without which this key would have been refused; each deserves a warning.
    #[must_use]
    pub fn acted(&self) -> Switches {
        self.acted
    }

    /// Whether each token adds members to its header.
    pub(crate) fn writes_header(&self) -> bool {
        match self.encryptor {
            Encryptor::Rsa(_) | Encryptor::Wrap(_) | Encryptor::Direct(..) => false,
            Encryptor::GcmWrap(..) | Encryptor::Agree(..) | Encryptor::Password(..) => true,
        }
    }

    /// Whether the key itself decides the CEK, so that there can be one recipient only.
    pub(crate) fn decides_cek(&self) -> bool {
        matches!(self.encryptor, Encryptor::Direct(..) | Encryptor::Agree(_, None))
    }

    /// Encrypts `given`, or a CEK drawn now; members that the reader needs are appended to the open `header`.
    pub(crate) fn encrypt_key(
        &self,
        enc: &'static ContentEncryption,
        given: Option<&[u8]>,
        parties: Parties<'_>,
        header: &mut Vec<u8>,
        random: &mut dyn Random,
    ) -> Result<EncryptedKey<'_>, Error> {
        if let Encryptor::Direct(keys, count) = &self.encryptor {
            let key = keys.iter().find(|key| key.row() == enc);
            let key = key.ok_or_else(|| Error::key_unfit(format!("{enc} asks for {} octets", enc.cek_octets)))?;
            count.next()?;
            return Ok(EncryptedKey { cek: Cek::Shared(key), octets: Vec::new() });
        }
        if let Encryptor::Agree(peer, None) = &self.encryptor {
            let cek = self.agree(peer, enc.name, enc.cek_octets, parties, header, random)?;
            return Ok(EncryptedKey { cek: Cek::Fresh(cek), octets: Vec::new() });
        }
        let cek = match given {
            Some(cek) => Zeroizing::new(cek.to_vec()),
            None => draw_cek(enc, random)?,
        };
        let mut octets = Vec::new();
        self.wrap(&cek, parties, header, random, &mut octets)?;
        Ok(EncryptedKey { cek: Cek::Fresh(cek), octets })
    }

    fn wrap(
        &self,
        cek: &[u8],
        parties: Parties<'_>,
        header: &mut Vec<u8>,
        random: &mut dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match &self.encryptor {
            Encryptor::Rsa(key) => key.encrypt(cek, out),
            Encryptor::Wrap(key) => key.wrap(cek, out),
            Encryptor::GcmWrap(key, count) => gcm_wrap(key, count, cek, header, random, out),
            Encryptor::Agree(peer, wrap) => {
                let size = wrap.expect("plain ECDH-ES wraps nothing");
                let kek = self.agree(peer, self.algorithm.name, size.octets(), parties, header, random)?;
                wrapper(size, &kek)?.wrap(cek, out)
            }
            Encryptor::Password(password, hash, size) => {
                let mut salt = [0; PBES2_SALT_BYTES_WRITTEN];
                random.fill(&mut salt)?;
                text_member(header, "p2s", &base64url::encode(&salt));
                value_member(header, "p2c", &Value::Number(PBES2_COUNT_WRITTEN.to_string()));
                let count = PBES2_COUNT_WRITTEN.try_into().expect("8 192 is not zero");
                let kek = pbes2::derive(self.algorithm.name, *hash, *size, count, &salt, password);
                wrapper(*size, &kek)?.wrap(cek, out)
            }
            Encryptor::Direct(..) => unreachable!("a shared key wraps nothing"),
        }
    }

    fn agree(
        &self,
        peer: &Peer,
        name: &str,
        octets: usize,
        parties: Parties<'_>,
        header: &mut Vec<u8>,
        random: &mut dyn Random,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let context = Context { algorithm: name, apu: parties.apu, apv: parties.apv, octets };
        let (ephemeral, derived) = peer.derive_fresh(&context, random)?;
        header.extend_from_slice(b",\"epk\":");
        PublicJwk::new(ephemeral).write(header);
        for (member, octets) in [("apu", parties.apu), ("apv", parties.apv)] {
            if !octets.is_empty() {
                text_member(header, member, &base64url::encode(octets));
            }
        }
        Ok(derived)
    }
}

/// How many messages an AES-GCM key has encrypted.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    fn next(&self) -> Result<(), Error> {
        if self.0.fetch_add(1, Ordering::Relaxed) < GCM_MESSAGES_MAX {
            return Ok(());
        }
        self.0.store(GCM_MESSAGES_MAX, Ordering::Relaxed);
        Err(Error::key_unfit("it has encrypted 2^32 messages; take a new key"))
    }
}

/// A CEK of this token alone.
pub(crate) fn draw_cek(enc: &ContentEncryption, random: &mut dyn Random) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut cek = Zeroizing::new(vec![0; enc.cek_octets]);
    random.fill(&mut cek)?;
    Ok(cek)
}

/// The shared key for every `enc` of its length.
pub(crate) fn direct(secret: &[u8], direction: Direction) -> Option<Vec<ContentKey>> {
    let keys = ContentEncryption::ALL.iter().filter_map(|row| ContentKey::new(row, secret, direction));
    let keys: Vec<ContentKey> = keys.collect();
    (!keys.is_empty()).then_some(keys)
}

fn gcm_wrap(
    key: &LessSafeKey,
    count: &Count,
    cek: &[u8],
    header: &mut Vec<u8>,
    random: &mut dyn Random,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    count.next()?;
    let mut iv = [0; GCM_IV_OCTETS];
    random.fill(&mut iv)?;
    let mut wrapped = cek.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::empty(), &mut wrapped)
        .map_err(|_| Error::SelfCheck { why: "the backend wrapped no key" })?;
    text_member(header, "iv", &base64url::encode(&iv));
    text_member(header, "tag", &base64url::encode(tag.as_ref()));
    out.extend_from_slice(&wrapped);
    Ok(())
}

fn wrapper(size: AesSize, kek: &[u8]) -> Result<Wrapper, Error> {
    Wrapper::new(size, kek).ok_or(Error::SelfCheck { why: "a derived key has the wrong length" })
}

fn rsa(oaep: Option<crate::jwa::OaepHash>, key: &PublicKey) -> Result<RsaEncryptor, Error> {
    match key {
        PublicKey::Rsa(public) if public.bits() < RSA_MODULUS_BITS_MIN => Err(public.wrong_size()),
        PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Okp(_) | PublicKey::Akp { .. } => {
            RsaEncryptor::new(oaep, key)
        }
    }
}

pub(super) fn no_fit(algorithm: &KeyAlgorithm) -> Error {
    let wanted: KeyShape = algorithm.key;
    Error::key_unfit(format!("{algorithm} takes {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-56: one message beyond the bound is refused, and so is every later one.
    #[test]
    fn a_gcm_key_encrypts_so_many_messages() {
        let count = Count(AtomicU64::new(GCM_MESSAGES_MAX - 1));
        assert!(count.next().is_ok());
        assert_eq!(count.next().unwrap_err().code(), "key_unfit");
        assert_eq!(count.next().unwrap_err().code(), "key_unfit");
    }
}
