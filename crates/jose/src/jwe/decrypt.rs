//! Decrypting: length, parts, header, algorithms, key, tag, and only then the plaintext.

use zeroize::Zeroizing;

use super::{PBES2_COUNT_MAX, PBES2_COUNT_SETTABLE_MAX, PBES2_WORK_MAX, zip};
use crate::{
    Error, Random, base64url,
    header::JoseHeader,
    json::Value,
    jwa::{
        ContentEncryption, KeyAlgorithm, Switch,
        content::{ContentKey, Direction},
    },
    jws::{CANDIDATE_KEYS_MAX, TOKEN_CHARS_MAX},
    private::{Cek, DecryptionKey, Pbes2Budget},
};

/// Which algorithms a reader takes. There is no default list.
#[derive(Clone, Debug)]
pub struct Decrypter {
    algorithms: Vec<&'static KeyAlgorithm>,
    encs: Vec<&'static ContentEncryption>,
    understood: Vec<String>,
    zip_allowed: bool,
    pbes2_count_max: u32,
}

/// The keys a token may be encrypted to.
#[derive(Clone, Copy)]
pub enum DecryptionKeys<'k> {
    /// This key, whatever `kid` the token names.
    One(&'k DecryptionKey),
    /// The keys of a set: chosen by `kid` and algorithm, or, for a token without `kid`, by algorithm alone.
    Set(&'k [DecryptionKey]),
}

impl<'k> From<&'k DecryptionKey> for DecryptionKeys<'k> {
    fn from(key: &'k DecryptionKey) -> Self {
        Self::One(key)
    }
}

impl<'k> From<&'k [DecryptionKey]> for DecryptionKeys<'k> {
    fn from(keys: &'k [DecryptionKey]) -> Self {
        Self::Set(keys)
    }
}

/// A token whose tag holds.
pub struct Decrypted {
    /// The header. Of a JSON serialization, the members of every part of it.
    pub header: JoseHeader,
    /// What was encrypted.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Which key of the set held; 0 for [`DecryptionKeys::One`].
    pub key_index: usize,
    /// Which recipient's encrypted key it was; 0 outside the general serialization.
    pub recipient_index: usize,
}

/// The pieces of an encrypted text that all its recipients share.
pub(super) struct Envelope<'t> {
    pub(super) aad: &'t [u8],
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl Decrypter {
    /// A reader of these algorithms.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] for an empty list.
    pub fn new(algorithms: &[&'static KeyAlgorithm], encs: &[&'static ContentEncryption]) -> Result<Self, Error> {
        if algorithms.is_empty() || encs.is_empty() {
            return Err(Error::not_allowed("decrypting without lists of algorithms", "name at least one of each"));
        }
        Ok(Self {
            algorithms: algorithms.to_vec(),
            encs: encs.to_vec(),
            understood: Vec::new(),
            zip_allowed: false,
            pbes2_count_max: PBES2_COUNT_MAX,
        })
    }

    /// The same reader, which also understands this extension when `crit` names it.
    #[must_use]
    pub fn understanding(mut self, extension: &str) -> Self {
        self.understood.push(extension.to_owned());
        self
    }

    /// The same reader, which inflates `zip` `DEF`.
    #[must_use]
    pub fn allowing_zip(mut self) -> Self {
        self.zip_allowed = true;
        self
    }

    /// The same reader with another bound on `p2c`, for one token all recipients together.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`PBES2_COUNT_SETTABLE_MAX`].
    pub fn with_pbes2_count_max(mut self, count_max: u32) -> Result<Self, Error> {
        if count_max > PBES2_COUNT_SETTABLE_MAX {
            let max = PBES2_COUNT_SETTABLE_MAX as usize;
            return Err(Error::TooLarge { what: "the bound on `p2c`", max, unit: "rounds" });
        }
        self.pbes2_count_max = count_max;
        Ok(self)
    }

    /// Decrypts a compact JWE. `random` gives the key that stands in for a bad one of RSA.
    ///
    /// # Errors
    /// The first thing that does not hold, in the order of this module's first line. Every fault of key, ciphertext
    /// and tag is [`Error::CannotDecrypt`].
    pub fn decrypt<'k>(
        &self,
        token: &str,
        keys: impl Into<DecryptionKeys<'k>>,
        random: &mut dyn Random,
    ) -> Result<Decrypted, Error> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::TooLarge { what: "the token", max: TOKEN_CHARS_MAX, unit: "characters" });
        }
        let parts: Vec<&str> = token.splitn(6, '.').collect();
        let [protected, encrypted, iv, ciphertext, tag] = parts[..] else {
            return Err(Error::malformed("a compact JWE has five parts with a dot between each"));
        };
        let header = JoseHeader::decode(protected)?;
        self.admit(&header)?;
        let encrypted = base64url::decode(encrypted)?;
        let envelope = Envelope {
            aad: protected.as_bytes(),
            iv: base64url::decode(iv)?,
            ciphertext: base64url::decode(ciphertext)?,
            tag: base64url::decode(tag)?,
        };
        let mut budget = self.budget();
        let (plaintext, key_index) = self.open(&header, &encrypted, &envelope, keys.into(), &mut budget, random)?;
        Ok(Decrypted { plaintext: self.inflated(&header, plaintext)?, header, key_index, recipient_index: 0 })
    }

    /// Checks what a header says of itself, before any key is looked for.
    pub(super) fn admit(&self, header: &JoseHeader) -> Result<(), Error> {
        let (algorithm, enc) = rows(header)?;
        header.check_critical(&self.understood)?;
        if !self.algorithms.contains(&algorithm) {
            return Err(Error::not_allowed(format!("`{algorithm}`"), "it is not in the list of this reader"));
        }
        if !self.encs.contains(&enc) {
            return Err(Error::not_allowed(format!("`{enc}`"), "it is not in the list of this reader"));
        }
        match header.get("zip") {
            None => Ok(()),
            Some(Value::Text(zip)) if zip == "DEF" && self.zip_allowed => Ok(()),
            Some(Value::Text(zip)) if zip == "DEF" => {
                Err(Error::not_allowed("`zip`", format!("it is read only when `{}` is set", Switch::Zip)))
            }
            Some(_) => Err(Error::header("zip", "is not `DEF`")),
        }
    }

    pub(super) fn budget(&self) -> Pbes2Budget {
        Pbes2Budget { count_max: self.pbes2_count_max, work_left: self.pbes2_count_max.max(PBES2_WORK_MAX) }
    }

    /// Tries the keys that fit, and gives the plaintext and the place of the key that held.
    pub(super) fn open(
        &self,
        header: &JoseHeader,
        encrypted: &[u8],
        envelope: &Envelope<'_>,
        keys: DecryptionKeys<'_>,
        budget: &mut Pbes2Budget,
        random: &mut dyn Random,
    ) -> Result<(Zeroizing<Vec<u8>>, usize), Error> {
        let (algorithm, enc) = rows(header)?;
        let (keys, kid) = match keys {
            DecryptionKeys::One(key) => (std::slice::from_ref(key), None),
            DecryptionKeys::Set(keys) => (keys, header.kid()),
        };
        let fits = |key: &DecryptionKey| key.algorithm() == algorithm && kid.is_none_or(|kid| key.kid() == Some(kid));
        let fitting: Vec<(usize, &DecryptionKey)> = keys.iter().enumerate().filter(|(_, key)| fits(key)).collect();
        for (index, key) in fitting.iter().take(CANDIDATE_KEYS_MAX) {
            let cek = match key.decrypt_key(header, encrypted, enc, budget, random) {
                Ok(cek) => cek,
                Err(Error::CannotDecrypt) => continue,
                Err(error) => return Err(error),
            };
            if let Some(plaintext) = open_content(enc, &cek, envelope) {
                return Ok((plaintext, *index));
            }
        }
        match fitting.len() {
            0 => Err(Error::NoKey { why: "none has its algorithm and, if it names one, its `kid`".into() }),
            1..=CANDIDATE_KEYS_MAX => Err(Error::CannotDecrypt),
            _ => Err(Error::NoKey { why: "it names no `kid`, and the first eight of its algorithm do not fit".into() }),
        }
    }

    pub(super) fn inflated(
        &self,
        header: &JoseHeader,
        plaintext: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        if header.get("zip").is_some() { zip::inflate(&plaintext) } else { Ok(plaintext) }
    }
}

fn rows(header: &JoseHeader) -> Result<(&'static KeyAlgorithm, &'static ContentEncryption), Error> {
    let algorithm = header.required("alg")?;
    if algorithm.eq_ignore_ascii_case("none") || algorithm.is_empty() {
        return Err(Error::not_allowed("`alg` `none`", "a token without a key is never read"));
    }
    Ok((KeyAlgorithm::by_name(algorithm)?, ContentEncryption::by_name(header.required("enc")?)?))
}

fn open_content(enc: &'static ContentEncryption, cek: &Cek<'_>, envelope: &Envelope<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let text = envelope.ciphertext.clone();
    match cek {
        Cek::Shared(key) => key.open(&envelope.iv, envelope.aad, text, &envelope.tag),
        Cek::Fresh(cek) => {
            ContentKey::new(enc, cek, Direction::Open)?.open(&envelope.iv, envelope.aad, text, &envelope.tag)
        }
    }
}
