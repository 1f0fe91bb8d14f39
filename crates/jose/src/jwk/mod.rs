//! JSON Web Key (RFC 7517): public keys, sets of them, and what a private key file may hold.

mod public;
mod read;
mod roca;
mod set;
mod thumbprint;

use std::borrow::Cow;

pub(crate) use public::exact;
pub use public::{
    EcPublic, OkpPublic, PublicKey, RSA_EXPONENT_MAX, RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN, RsaPublic,
};
pub use set::{JWKS_IN_BYTES_MAX, JWKS_IN_KEYS_MAX, JwkSet, Skipped};

use crate::{
    Error, base64url,
    json::{Object, Value, write_text, write_value},
    jwa::KeyShape,
    private::PrivateJwk,
};

/// Most octets of a key that is imported, in any form.
pub const KEY_IMPORT_BYTES_MAX: usize = 64 * 1024;
/// Most octets of a `kid`.
pub const KID_BYTES_MAX: usize = 256;

/// The members that any kind of key may have besides its own (RFC 7517 section 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyParameters {
    /// `kid`, opaque, at most [`KID_BYTES_MAX`] octets.
    pub kid: Option<String>,
    /// `alg`: the one algorithm this key is for.
    pub alg: Option<String>,
    /// `use`: `sig`, `enc` or a name of somebody's own.
    pub use_: Option<String>,
    /// `key_ops`: what the key may do; absent is not the same as empty.
    pub key_ops: Option<Vec<String>>,
    /// `x5c`: the chain, leaf first, each certificate in DER.
    pub x5c: Vec<Vec<u8>>,
}

/// A public key with its members. Private members have no place in it, so none can be published:
///
/// ```compile_fail
/// let secret = jose::PrivateJwk::from_octets(&[1; 32])?;
/// let mut set = jose::jwk::JwkSet::default();
/// set.keys.push(secret);
/// # Ok::<(), jose::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    /// The key itself.
    pub key: PublicKey,
    /// The members that any key may have.
    pub parameters: KeyParameters,
}

/// A JWK of either kind, as a file may hold it.
pub enum Jwk {
    /// A public key.
    Public(PublicJwk),
    /// A private or symmetric key.
    Private(PrivateJwk),
}

impl Jwk {
    /// Reads one JWK.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`KEY_IMPORT_BYTES_MAX`], [`Error::Malformed`] for broken JSON,
    /// [`Error::Unsupported`] for an unknown `kty` or `crv`, [`Error::KeyInvalid`] naming the member.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        read::jwk(text)
    }

    /// The members that any key may have.
    #[must_use]
    pub fn parameters(&self) -> &KeyParameters {
        match self {
            Self::Public(jwk) => &jwk.parameters,
            Self::Private(jwk) => jwk.parameters(),
        }
    }

    /// The shape that the table of algorithms knows it by; a symmetric key is [`KeyShape::OctExact`].
    #[must_use]
    pub fn shape(&self) -> KeyShape {
        match self {
            Self::Public(jwk) => jwk.key.shape(),
            Self::Private(jwk) => jwk.shape(),
        }
    }

    /// The `alg` that the key names. In an `AKP` key it is part of the key itself (RFC 9964 section 3).
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        match self.shape() {
            KeyShape::Akp(set) => Some(set.name()),
            KeyShape::OctAtLeast(_)
            | KeyShape::OctExact(_)
            | KeyShape::OctCek
            | KeyShape::Rsa
            | KeyShape::Ec(_)
            | KeyShape::Okp(_)
            | KeyShape::Agreement
            | KeyShape::Password => self.parameters().alg.as_deref(),
        }
    }

    /// The public half; a symmetric key has none.
    #[must_use]
    pub fn public(&self) -> Option<Cow<'_, PublicJwk>> {
        match self {
            Self::Public(jwk) => Some(Cow::Borrowed(jwk)),
            Self::Private(jwk) => jwk.public().map(Cow::Owned),
        }
    }
}

impl PublicJwk {
    /// A key without further members.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self { key, parameters: KeyParameters::default() }
    }

    /// Reads one public JWK.
    ///
    /// # Errors
    /// As [`Jwk::parse`]; a private or symmetric key is [`Error::KeyInvalid`].
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        match Jwk::parse(text)? {
            Jwk::Public(jwk) => Ok(jwk),
            Jwk::Private(_) => Err(Error::key_invalid("d", "makes this a private key where a public one belongs")),
        }
    }

    /// Reads a public JWK that stands inside a header or document.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_object(object: &Object) -> Result<Self, Error> {
        match read::from_object(object)? {
            Jwk::Public(jwk) => Ok(jwk),
            Jwk::Private(_) => Err(Error::key_invalid("d", "makes this a private key where a public one belongs")),
        }
    }

    /// The `kid`, or the RFC 7638 thumbprint if it has none.
    #[must_use]
    pub fn kid_or_thumbprint(&self) -> Cow<'_, str> {
        match &self.parameters.kid {
            Some(kid) => Cow::Borrowed(kid),
            None => Cow::Owned(self.thumbprint()),
        }
    }

    /// The SHA-256 thumbprint (RFC 7638, RFC 8037 section 2, RFC 9964 section 4).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint::of(&self.key)
    }

    /// The thumbprint as a URI (RFC 9278).
    #[must_use]
    pub fn thumbprint_uri(&self) -> String {
        format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}", self.thumbprint())
    }

    /// Appends the JWK: `kty`, `kid`, `use`, `key_ops`, `alg`, the members of the key, `x5c`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write_members(out);
        out.push(b'}');
    }

    /// The JWK as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).expect("the JSON writer writes UTF-8")
    }

    pub(crate) fn write_members(&self, out: &mut Vec<u8>) {
        write_member(out, "kty", self.key.kty());
        self.parameters.write(out, matches!(self.key, PublicKey::Akp { .. }));
        self.key.write(out);
        self.parameters.write_x5c(out);
    }
}

impl KeyParameters {
    /// Without `alg`, `use` and `key_ops`, for dialects whose contract warns where we would refuse.
    #[must_use]
    pub fn without_restrictions(mut self) -> Self {
        self.alg = None;
        self.use_ = None;
        self.key_ops = None;
        self
    }

    /// `alg_is_the_keys`: the key itself writes `alg` (kty `AKP`).
    pub(crate) fn write(&self, out: &mut Vec<u8>, alg_is_the_keys: bool) {
        if let Some(kid) = &self.kid {
            write_member(out, "kid", kid);
        }
        if let Some(use_) = &self.use_ {
            write_member(out, "use", use_);
        }
        if let Some(ops) = &self.key_ops {
            let ops = ops.iter().cloned().map(Value::Text).collect();
            out.extend_from_slice(b",\"key_ops\":");
            write_value(out, &Value::Array(ops));
        }
        if let Some(alg) = self.alg.as_ref().filter(|_| !alg_is_the_keys) {
            write_member(out, "alg", alg);
        }
    }

    pub(crate) fn write_x5c(&self, out: &mut Vec<u8>) {
        if self.x5c.is_empty() {
            return;
        }
        let chain = self.x5c.iter().map(|der| Value::Text(base64_simd::STANDARD.encode_to_string(der)));
        out.extend_from_slice(b",\"x5c\":");
        write_value(out, &Value::Array(chain.collect()));
    }

    /// Refuses a use that `use` or `key_ops` exclude, and an algorithm other than `alg`. `names` are those of the
    /// algorithm (EdDSA has two).
    pub(crate) fn permit(&self, names: &[&str], use_: &str, operations: &[&str]) -> Result<(), Error> {
        if let Some(alg) = self.alg.as_deref().filter(|alg| !names.contains(alg)) {
            return Err(Error::key_unfit(format!("its `alg` is not {}{}", names[0], unless_long(alg))));
        }
        if self.use_.as_deref().is_some_and(|own| own != use_) {
            return Err(Error::key_unfit(format!("its `use` is not `{use_}`")));
        }
        let allows = |ops: &Vec<String>| ops.iter().any(|op| operations.contains(&op.as_str()));
        if self.key_ops.as_ref().is_some_and(|ops| !allows(ops)) {
            return Err(Error::key_unfit(format!("its `key_ops` do not hold `{}`", operations[0])));
        }
        Ok(())
    }
}

fn unless_long(alg: &str) -> String {
    if alg.len() <= 32 { format!(" but {alg:?}") } else { String::new() }
}

/// Appends a member with a text value, and the comma before it unless it is the first.
pub(crate) fn write_member(out: &mut Vec<u8>, name: &str, text: &str) {
    if out.last().is_some_and(|last| *last != b'{') {
        out.push(b',');
    }
    write_text(out, name);
    out.push(b':');
    write_text(out, text);
}

/// Appends a member whose value is octets in base64url.
pub(crate) fn write_octets_member(out: &mut Vec<u8>, name: &str, octets: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    base64url::encode_append(octets, out);
    out.push(b'"');
}
