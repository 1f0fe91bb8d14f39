//! Verifying: length, parts, header, algorithm, key, signature, and only then the payload.

use super::TOKEN_CHARS_MAX;
use crate::{Error, base64url, header::JoseHeader, jwa::SignatureAlgorithm, private::VerifyingKey, x509};

/// Most keys that are tried for a token without `kid`.
pub const CANDIDATE_KEYS_MAX: usize = 8;

/// Which algorithms a reader takes, and which extensions it understands. There is no default list.
#[derive(Clone, Debug)]
pub struct Verifier {
    algorithms: Vec<&'static SignatureAlgorithm>,
    understood: Vec<String>,
}

/// The keys a token may be signed with.
#[derive(Clone, Copy)]
pub enum Keys<'k> {
    /// This key, whatever `kid` the token names.
    One(&'k VerifyingKey),
    /// The keys of a set: chosen by `kid` and algorithm, or, for a token without `kid`, by algorithm alone.
    Set(&'k [VerifyingKey]),
}

impl<'k> From<&'k VerifyingKey> for Keys<'k> {
    fn from(key: &'k VerifyingKey) -> Self {
        Self::One(key)
    }
}

impl<'k> From<&'k [VerifyingKey]> for Keys<'k> {
    fn from(keys: &'k [VerifyingKey]) -> Self {
        Self::Set(keys)
    }
}

/// A token whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The header, covered by the signature.
    pub header: JoseHeader,
    /// The octets that were signed.
    pub payload: Vec<u8>,
    /// Which key of the set held; 0 for [`Keys::One`].
    pub key_index: usize,
}

impl Verifier {
    /// A reader of these algorithms.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] for an empty list.
    pub fn new(algorithms: &[&'static SignatureAlgorithm]) -> Result<Self, Error> {
        if algorithms.is_empty() {
            return Err(Error::not_allowed("verifying without a list of algorithms", "name at least one"));
        }
        Ok(Self { algorithms: algorithms.to_vec(), understood: Vec::new() })
    }

    /// The same reader, which also understands this extension when `crit` names it.
    #[must_use]
    pub fn understanding(mut self, extension: &str) -> Self {
        self.understood.push(extension.to_owned());
        self
    }

    /// Verifies a compact JWS.
    ///
    /// # Errors
    /// The first thing that does not hold, in the order of this module's first line.
    pub fn verify<'k>(&self, token: &str, keys: impl Into<Keys<'k>>) -> Result<Verified, Error> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::TooLarge { what: "the token", max: TOKEN_CHARS_MAX, unit: "characters" });
        }
        let parts = Parts::split(token)?;
        let header = JoseHeader::decode(parts.header)?;
        let algorithm = self.admit(&header)?;
        let signature = base64url::decode(parts.signature)?;
        let key_index = find_key(&header, algorithm, keys.into(), parts.input, &signature)?;
        Ok(Verified { payload: base64url::decode(parts.payload)?, header, key_index })
    }

    /// Checks what the header says of itself and gives the row that it names.
    pub(super) fn admit(&self, header: &JoseHeader) -> Result<&'static SignatureAlgorithm, Error> {
        let algorithm = SignatureAlgorithm::by_name(header.required("alg")?)?;
        if header.get("zip").is_some() {
            return Err(Error::header("zip", "has no place in a JWS"));
        }
        header.check_critical(&self.understood)?;
        if self.algorithms.contains(&algorithm) {
            return Ok(algorithm);
        }
        Err(Error::not_allowed(format!("`{algorithm}`"), "it is not in the list of this reader"))
    }
}

/// The pieces of a compact JWS.
struct Parts<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    input: &'t [u8],
}

impl<'t> Parts<'t> {
    fn split(token: &'t str) -> Result<Self, Error> {
        if token.contains('~') {
            return Err(Error::unsupported("a token with disclosures (SD-JWT)", "it comes with a later step"));
        }
        let wrong = || Error::malformed("a compact JWS has three parts with a dot between each");
        let (input, signature) = token.rsplit_once('.').ok_or_else(wrong)?;
        let (header, payload) = input.split_once('.').ok_or_else(wrong)?;
        if payload.contains('.') || header.is_empty() {
            return Err(wrong());
        }
        Ok(Self { header, payload, signature, input: input.as_bytes() })
    }
}

/// The place of the key under which the signature holds.
pub(super) fn find_key(
    header: &JoseHeader,
    algorithm: &SignatureAlgorithm,
    keys: Keys<'_>,
    input: &[u8],
    signature: &[u8],
) -> Result<usize, Error> {
    let (keys, kid) = match keys {
        Keys::One(key) => (std::slice::from_ref(key), None),
        Keys::Set(keys) => (keys, header.kid()),
    };
    let fits = |key: &VerifyingKey| key.serves(algorithm) && kid.is_none_or(|kid| key.kid() == Some(kid));
    let fitting: Vec<(usize, &VerifyingKey)> = keys.iter().enumerate().filter(|(_, key)| fits(key)).collect();
    for (index, key) in fitting.iter().take(CANDIDATE_KEYS_MAX) {
        if key.verify(input, signature).is_ok() {
            return check_x5c(header, key).map(|()| *index);
        }
    }
    match fitting.len() {
        0 if kid.is_some() => Err(no_key("none has its `kid` and algorithm")),
        0 => Err(no_key("none is for its algorithm")),
        1..=CANDIDATE_KEYS_MAX => Err(Error::BadSignature),
        _ => Err(no_key("it names no `kid`, and the first eight of its algorithm do not fit")),
    }
}

/// A chain in the header must begin with the key that the signature holds under.
fn check_x5c(header: &JoseHeader, key: &VerifyingKey) -> Result<(), Error> {
    let chain = header.x5c()?;
    let Some(leaf) = chain.first() else {
        return Ok(());
    };
    let leaf = x509::leaf_key(leaf).map_err(|_| Error::header("x5c", "begins with no certificate of a key"))?;
    if key.public().is_some_and(|own| *own == leaf.key) {
        return Ok(());
    }
    Err(Error::header("x5c", "begins with a certificate of another key"))
}

fn no_key(why: &'static str) -> Error {
    Error::NoKey { why: why.into() }
}
