//! Nested tokens (RFC 7519 section 5.2): a signed token inside an encrypted one, read from the outside in.

use super::policy::same_media_type;
use crate::{
    Error, Random,
    header::JoseHeader,
    jwe::{Decrypted, Decrypter, DecryptionKeys},
    jws::{Keys, Verified, Verifier},
};

/// Most layers of a token: one JWE around one JWS.
pub const NESTING_MAX: usize = 2;

/// Claims that RFC 7519 section 5.3 lets stand in the header of a JWE too.
const REPLICATED: [&str; 3] = ["iss", "sub", "aud"];

/// Reads tokens that are encrypted around a signature, and takes no others.
#[derive(Clone, Debug)]
pub struct NestedReader {
    decrypter: Decrypter,
    verifier: Verifier,
}

/// A token both of whose layers hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The header of the outer layer.
    pub outer: JoseHeader,
    /// The inner layer.
    pub inner: Verified,
}

impl NestedReader {
    /// A reader with lists of its own for each layer.
    #[must_use]
    pub fn new(decrypter: Decrypter, verifier: Verifier) -> Self {
        Self { decrypter, verifier }
    }

    /// Decrypts, then verifies. `cty` of the outer header must be `JWT`.
    ///
    /// # Errors
    /// As [`Decrypter::decrypt`] and [`Verifier::verify`]; [`Error::Nesting`] if the token is signed only, encrypted
    /// only or nested deeper; [`Error::Header`] if `cty` or a repeated claim is not as it should be.
    pub fn read<'k>(
        &self,
        token: &str,
        decryption: impl Into<DecryptionKeys<'k>>,
        verification: impl Into<Keys<'k>>,
        random: &mut dyn Random,
    ) -> Result<Opened, Error> {
        if token.splitn(4, '.').count() == 3 {
            return Err(Error::Nesting { why: "the token is signed only; it must be encrypted around that" });
        }
        let opened = self.decrypter.decrypt(token, decryption, random)?;
        self.finish(opened, verification.into())
    }

    /// The same for a flattened or general JWE around a compact JWS.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_json<'k>(
        &self,
        token: &str,
        decryption: impl Into<DecryptionKeys<'k>>,
        verification: impl Into<Keys<'k>>,
        random: &mut dyn Random,
    ) -> Result<Opened, Error> {
        let opened = self.decrypter.decrypt_json(token, decryption, random)?;
        self.finish(opened, verification.into())
    }

    fn finish(&self, opened: Decrypted, verification: Keys<'_>) -> Result<Opened, Error> {
        let inner = inner_token(&opened.header, &opened.plaintext)?;
        let verified = self.verifier.verify(inner, verification)?;
        check_replicated(&opened.header, &verified.payload)?;
        Ok(Opened { outer: opened.header, inner: verified })
    }
}

fn inner_token<'p>(header: &JoseHeader, plaintext: &'p [u8]) -> Result<&'p str, Error> {
    let is_jwt = header.cty().is_some_and(|cty| same_media_type(cty, "JWT"));
    let inner = std::str::from_utf8(plaintext).unwrap_or_default();
    match (inner.bytes().filter(|octet| *octet == b'.').count(), is_jwt) {
        (2, true) => Ok(inner),
        (4, true) => Err(Error::Nesting { why: "the token has more than two layers" }),
        (2, false) => Err(Error::header("cty", "must be `JWT` around a token")),
        (_, _) => Err(Error::Nesting { why: "the token is encrypted only; there must be a signed one inside" }),
    }
}

/// RFC 7519 section 5.3: a claim that stands in the header too must say the same there.
fn check_replicated(outer: &JoseHeader, payload: &[u8]) -> Result<(), Error> {
    if REPLICATED.iter().all(|name| outer.get(name).is_none()) {
        return Ok(());
    }
    let claims = super::claims(payload)?;
    match REPLICATED.iter().find(|name| outer.get(name).is_some() && outer.get(name) != claims.get(name)) {
        Some(name) => Err(Error::header(*name, "differs from the claim of this name")),
        None => Ok(()),
    }
}
