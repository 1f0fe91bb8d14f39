//! The table of algorithms (RFC 7518, 8037, 8812, 9864, 9964): one row holds everything about one `alg` or `enc`.
//!
//! A name is looked up here once, case-sensitive; inside there are only rows.

pub(crate) mod aes_kw;
pub(crate) mod content;
pub(crate) mod ecdh;
pub(crate) mod ecdsa;
pub(crate) mod eddsa;
pub(crate) mod hmac;
mod jwe_rows;
mod jws_rows;
mod key_shape;
pub(crate) mod ml_dsa;
pub(crate) mod pbes2;
pub(crate) mod rsaes;
pub(crate) mod rsassa;
mod switch;
#[cfg(test)]
mod wycheproof;

use std::fmt;

pub use key_shape::{AesSize, EcCurve, KeyShape, MlDsaSet, OkpCurve};
pub use switch::{Switch, Switches};

use crate::Error;

/// Whether an algorithm may be used, and what must be said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// May be named without further ado.
    Offered,
    /// May be named once this switch is on.
    OptIn(Switch),
    /// Known, not offered; the text says why.
    Gap(&'static str),
}

/// A SHA-2 hash function (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sha2 {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Sha2 {
    /// Octets of its output.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What a signature algorithm computes. Two names of equal family make and accept the same signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureFamily {
    /// HMAC (RFC 7518 section 3.2).
    Hmac(Sha2),
    /// RSASSA-PKCS1-v1_5 (RFC 7518 section 3.3).
    RsaPkcs1(Sha2),
    /// RSASSA-PSS, salt as long as the hash (RFC 7518 section 3.5).
    RsaPss(Sha2),
    /// ECDSA with the hash that belongs to the curve (RFC 7518 section 3.4, RFC 8812).
    Ecdsa(EcCurve),
    /// EdDSA (RFC 8037).
    EdDsa(OkpCurve),
    /// ML-DSA, context empty (RFC 9964).
    MlDsa(MlDsaSet),
}

/// How long a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureLength {
    /// Always this many octets.
    Octets(usize),
    /// As many octets as the modulus of the key.
    Modulus,
}

/// A row of the table: one `alg` of a JWS.
#[derive(Debug)]
pub struct SignatureAlgorithm {
    /// The `alg` value, case-sensitive.
    pub name: &'static str,
    /// What it computes.
    pub family: SignatureFamily,
    /// The keys it takes.
    pub key: KeyShape,
    /// Octets of a signature.
    pub signature: SignatureLength,
    /// Whether it is offered.
    pub grade: Grade,
    /// Where it is defined.
    pub reference: &'static str,
}

/// The hash of an RSAES-OAEP encryption, for label and MGF1 alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OaepHash {
    /// SHA-1, as RFC 7518 section 4.3 has it for `RSA-OAEP`.
    Sha1,
    /// A SHA-2 hash.
    Sha2(Sha2),
}

/// What a key management algorithm computes (RFC 7518 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyFamily {
    /// RSAES-PKCS1-v1_5.
    Rsa1_5,
    /// RSAES-OAEP.
    RsaOaep(OaepHash),
    /// AES Key Wrap (RFC 3394).
    AesKw(AesSize),
    /// AES-GCM as key wrap.
    AesGcmKw(AesSize),
    /// The shared key is the content encryption key.
    Direct,
    /// ECDH-ES, and the AES Key Wrap behind it, if any.
    EcdhEs(Option<AesSize>),
    /// PBES2: PBKDF2 with HMAC, then AES Key Wrap.
    Pbes2(Sha2, AesSize),
}

/// A row of the table: one `alg` of a JWE.
#[derive(Debug)]
pub struct KeyAlgorithm {
    /// The `alg` value, case-sensitive.
    pub name: &'static str,
    /// What it computes.
    pub family: KeyFamily,
    /// The keys it takes.
    pub key: KeyShape,
    /// Whether it is offered.
    pub grade: Grade,
    /// Where it is defined.
    pub reference: &'static str,
}

/// What a content encryption algorithm computes (RFC 7518 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentFamily {
    /// AES-CBC, then HMAC over the hash of the same strength.
    CbcHmac(AesSize, Sha2),
    /// AES-GCM.
    Gcm(AesSize),
}

/// A row of the table: one `enc`.
#[derive(Debug)]
pub struct ContentEncryption {
    /// The `enc` value, case-sensitive.
    pub name: &'static str,
    /// What it computes.
    pub family: ContentFamily,
    /// Octets of the content encryption key.
    pub cek_octets: usize,
    /// Octets of the initialization vector.
    pub iv_octets: usize,
    /// Octets of the authentication tag.
    pub tag_octets: usize,
    /// Where it is defined.
    pub reference: &'static str,
}

/// Names that drafts hold; none is standard yet.
const RESERVED: [&str; 16] = [
    "HPKE-0",
    "HPKE-1",
    "HPKE-2",
    "HPKE-3",
    "HPKE-4",
    "HPKE-5",
    "HPKE-6",
    "HPKE-7",
    "HPKE-0-KE",
    "HPKE-1-KE",
    "HPKE-2-KE",
    "HPKE-3-KE",
    "HPKE-4-KE",
    "HPKE-5-KE",
    "HPKE-6-KE",
    "HPKE-7-KE",
];

impl SignatureAlgorithm {
    /// Every row, in the order of the registry.
    pub const ALL: &'static [Self] = jws_rows::ROWS;

    /// The row of `name`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a name that is unknown or known as a gap; [`Error::NotAllowed`] for `none` in
    /// any spelling, and for an empty name.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        if name.is_empty() || name.eq_ignore_ascii_case("none") {
            return Err(Error::not_allowed("`alg` `none`", "a token without a signature is never read"));
        }
        let row = Self::ALL.iter().find(|row| row.name == name);
        offered(row, name, |row| row.grade)
    }

    /// Refuses a row whose switch is not on.
    ///
    /// # Errors
    /// [`Error::NotAllowed`], naming the switch; [`Error::Unsupported`] for a gap.
    pub fn permit(&self, switches: Switches) -> Result<(), Error> {
        permit(self.name, self.grade, switches)
    }

    /// The row that a key of this shape signs with if nobody wishes otherwise; `rows` whose switch is needed are
    /// never chosen.
    #[must_use]
    pub fn default_for(key: KeyShape) -> Option<&'static Self> {
        Self::ALL.iter().find(|row| row.key == key && row.grade == Grade::Offered)
    }
}

impl KeyAlgorithm {
    /// Every row, in the order of the registry.
    pub const ALL: &'static [Self] = jwe_rows::KEY_ROWS;

    /// The row of `name`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a name that is unknown or reserved.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        offered(Self::ALL.iter().find(|row| row.name == name), name, |row| row.grade)
    }

    /// Refuses a row whose switch is not on.
    ///
    /// # Errors
    /// [`Error::NotAllowed`], naming the switch.
    pub fn permit(&self, switches: Switches) -> Result<(), Error> {
        permit(self.name, self.grade, switches)
    }

    /// The row that is used with a key of this shape if nobody wishes otherwise: RSA-OAEP-256, ECDH-ES+A256KW, AES Key
    /// Wrap of the key's size, else `dir`.
    #[must_use]
    pub fn default_for(key: KeyShape) -> Option<&'static Self> {
        let usual = |row: &&Self| match row.family {
            KeyFamily::RsaOaep(hash) => hash == OaepHash::Sha2(Sha2::Sha256),
            KeyFamily::EcdhEs(wrap) => wrap == Some(AesSize::Aes256),
            KeyFamily::AesKw(_) | KeyFamily::Direct => true,
            KeyFamily::Rsa1_5 | KeyFamily::AesGcmKw(_) | KeyFamily::Pbes2(..) => false,
        };
        Self::ALL.iter().filter(usual).find(|row| row.key.takes(key))
    }
}

impl ContentEncryption {
    /// Every row, in the order of the registry.
    pub const ALL: &'static [Self] = jwe_rows::CONTENT_ROWS;

    /// The row of `name`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a name that is unknown or reserved.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        offered(Self::ALL.iter().find(|row| row.name == name), name, |_| Grade::Offered)
    }
}

impl PartialEq for SignatureAlgorithm {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for SignatureAlgorithm {}

impl PartialEq for KeyAlgorithm {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for KeyAlgorithm {}

impl PartialEq for ContentEncryption {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ContentEncryption {}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn offered<R>(row: Option<&'static R>, name: &str, grade: impl Fn(&R) -> Grade) -> Result<&'static R, Error> {
    match row {
        Some(row) => match grade(row) {
            Grade::Gap(why) => Err(Error::unsupported(format!("`{name}`"), why)),
            Grade::Offered | Grade::OptIn(_) => Ok(row),
        },
        None if RESERVED.contains(&name) => Err(Error::unsupported(format!("`{name}`"), "it is not standard yet")),
        None => Err(Error::unsupported(told(name), "the name is unknown here; names are case-sensitive")),
    }
}

/// A name as it may stand in a message: whole when it is short and plain.
fn told(name: &str) -> String {
    let plain = name.len() <= 32 && name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'`');
    if plain { format!("`{name}`") } else { "the algorithm".to_owned() }
}

fn permit(name: &'static str, grade: Grade, switches: Switches) -> Result<(), Error> {
    match grade {
        Grade::Offered => Ok(()),
        Grade::OptIn(switch) if switches.has(switch) => Ok(()),
        Grade::OptIn(switch) => {
            Err(Error::not_allowed(format!("`{name}`"), format!("it is used only when `{switch}` is set")))
        }
        Grade::Gap(why) => Err(Error::unsupported(format!("`{name}`"), why)),
    }
}
