//! PEM (RFC 7468) around keys: one key a file, other blocks passed over.

use zeroize::Zeroizing;

use crate::{
    Error, Random,
    jwk::{Jwk, KEY_IMPORT_BYTES_MAX, PublicJwk},
    key_der::KeyForm,
    private::PrivateJwk,
};

/// Labels whose block holds a key that is read.
const KEY_LABELS: [&str; 6] =
    ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"];
const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
const CHARACTERS_A_LINE: usize = 64;
const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

impl Jwk {
    /// Reads the one key of a PEM text. Text around the blocks, and blocks that hold no key, are passed over; of
    /// several certificates the first counts, and beside a key none does.
    ///
    /// # Errors
    /// [`Error::KeyInvalid`] if there is no key or there are two, [`Error::Unsupported`] for an encrypted one, and
    /// what [`Jwk::from_der`] refuses.
    pub fn from_pem(text: &[u8]) -> Result<Self, Error> {
        if text.len() > KEY_IMPORT_BYTES_MAX {
            return Err(Error::TooLarge { what: "the key", max: KEY_IMPORT_BYTES_MAX, unit: "octets" });
        }
        let blocks: Vec<Block<'_>> = Blocks(text).collect::<Result<_, _>>()?;
        let keys: Vec<&Block<'_>> = blocks.iter().filter(|block| block.is_key()).collect();
        match keys.as_slice() {
            [key] => Jwk::from_der(&key.octets()?),
            [] => match blocks.iter().find(|block| block.label == "CERTIFICATE") {
                Some(certificate) => Jwk::from_der(&certificate.octets()?),
                None if blocks.iter().any(Block::is_encrypted) => Err(encrypted()),
                None => Err(Error::key_invalid("PEM", "holds no block that is a key")),
            },
            [_, _, ..] => Err(Error::key_invalid("PEM", "holds two keys; keep one a file")),
        }
    }

    /// Reads the one encrypted PKCS#8 key of a PEM text, or an encrypted key or PKCS#12 file in DER.
    ///
    /// # Errors
    /// As [`Jwk::from_encrypted_der`]; a PEM text without an encrypted key is [`Error::KeyInvalid`].
    pub fn import_encrypted(octets: &[u8], passphrase: &str) -> Result<Self, Error> {
        if !looks_like_pem(octets) {
            return Self::from_encrypted_der(octets, passphrase);
        }
        if octets.len() > KEY_IMPORT_BYTES_MAX {
            return Err(Error::TooLarge { what: "the key", max: KEY_IMPORT_BYTES_MAX, unit: "octets" });
        }
        let blocks: Vec<Block<'_>> = Blocks(octets).collect::<Result<_, _>>()?;
        let mut encrypted = blocks.iter().filter(|block| block.label == ENCRYPTED_LABEL);
        match (encrypted.next(), encrypted.next()) {
            (Some(key), None) => Self::from_encrypted_der(&key.octets()?, passphrase),
            (None, _) => Err(Error::key_invalid("PEM", "holds no encrypted PKCS#8 key")),
            (Some(_), Some(_)) => Err(Error::key_invalid("PEM", "holds two keys; keep one a file")),
        }
    }

    /// Reads a key whose form its first octets tell: `{` a JWK, `-----BEGIN` somewhere PEM, else DER.
    ///
    /// # Errors
    /// As [`Jwk::parse`], [`Jwk::from_pem`], [`Jwk::from_der`].
    pub fn import(octets: &[u8]) -> Result<Self, Error> {
        if octets.trim_ascii_start().starts_with(b"{") {
            Self::parse(octets)
        } else if looks_like_pem(octets) {
            Self::from_pem(octets)
        } else {
            Self::from_der(octets)
        }
    }
}

impl PrivateJwk {
    /// The key as a PEM block.
    ///
    /// # Errors
    /// As [`PrivateJwk::to_der`].
    pub fn to_pem(&self, form: KeyForm) -> Result<Zeroizing<String>, Error> {
        let label = match form {
            KeyForm::Pkcs8 | KeyForm::Spki => "PRIVATE KEY",
            KeyForm::Pkcs1 => "RSA PRIVATE KEY",
            KeyForm::Sec1 => "EC PRIVATE KEY",
        };
        Ok(Zeroizing::new(write(label, &self.to_der(form)?)))
    }
}

impl PrivateJwk {
    /// The key as an encrypted PEM block.
    ///
    /// # Errors
    /// As [`PrivateJwk::to_encrypted_der`].
    pub fn to_encrypted_pem(&self, passphrase: &str, random: &mut dyn Random) -> Result<String, Error> {
        Ok(write(ENCRYPTED_LABEL, &self.to_encrypted_der(passphrase, random)?))
    }
}

impl PublicJwk {
    /// The key as a PEM block.
    ///
    /// # Errors
    /// As [`PublicJwk::to_der`].
    pub fn to_pem(&self, form: KeyForm) -> Result<String, Error> {
        let label = match form {
            KeyForm::Pkcs1 => "RSA PUBLIC KEY",
            KeyForm::Pkcs8 | KeyForm::Sec1 | KeyForm::Spki => "PUBLIC KEY",
        };
        Ok(write(label, &self.to_der(form)?))
    }
}

/// Whether a block begins somewhere in `text`.
pub(crate) fn looks_like_pem(text: &[u8]) -> bool {
    memchr::memmem::find(text, BEGIN).is_some()
}

struct Block<'a> {
    label: &'a str,
    body: &'a [u8],
}

impl Block<'_> {
    fn is_key(&self) -> bool {
        self.label != "CERTIFICATE" && KEY_LABELS.contains(&self.label) && !self.is_encrypted()
    }

    /// PKCS#8's own encryption, or the old `Proc-Type` header (RFC 1421).
    fn is_encrypted(&self) -> bool {
        self.label == ENCRYPTED_LABEL || memchr::memchr(b':', self.body).is_some()
    }

    fn octets(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut text = Zeroizing::new(self.body.to_vec());
        text.retain(|octet| !octet.is_ascii_whitespace());
        let octets = base64_simd::STANDARD.decode_to_vec(&*text);
        octets.map(Zeroizing::new).map_err(|_| Error::key_invalid("PEM", "is no base64 between its lines"))
    }
}

/// The blocks of a text, one after another.
struct Blocks<'a>(&'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = memchr::memmem::find(self.0, BEGIN)? + BEGIN.len();
        let block = split_block(&self.0[start..]);
        self.0 = block.as_ref().map_or(&[], |(_, rest)| rest);
        Some(block.map(|(block, _)| block).ok_or_else(|| Error::key_invalid("PEM", "has a block that does not end")))
    }
}

fn split_block(text: &[u8]) -> Option<(Block<'_>, &[u8])> {
    let (label, rest) = text.split_at_checked(memchr::memmem::find(text, DASHES)?)?;
    let label = std::str::from_utf8(label).ok()?;
    let rest = &rest[DASHES.len()..];
    let end = format!("-----END {label}-----");
    let (body, rest) = rest.split_at_checked(memchr::memmem::find(rest, end.as_bytes())?)?;
    Some((Block { label, body }, &rest[end.len()..]))
}

fn encrypted() -> Error {
    Error::unsupported("an encrypted key without its passphrase", "name the passphrase, or decrypt it first")
}

/// Writes a block (RFC 7468 section 2).
fn write(label: &str, octets: &[u8]) -> String {
    let text = Zeroizing::new(base64_simd::STANDARD.encode_to_string(octets));
    let mut out = String::with_capacity(text.len() + text.len() / CHARACTERS_A_LINE + 2 * label.len() + 40);
    out.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(CHARACTERS_A_LINE));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
