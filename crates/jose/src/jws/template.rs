//! Many tokens of one kind: what they begin with is encoded, and for HMAC hashed, once.

use std::sync::Arc;

use super::{ProtectedHeader, sign::check_length};
use crate::{Error, base64url, jwa::hmac::HmacContext, private::SigningKey};

/// Octets that base64 takes at a time.
const GROUP_OCTETS: usize = 3;

/// A key, a header and the constant beginning of a payload. Every token is `header.(constant + tail).signature`.
pub struct Template {
    key: Arc<SigningKey>,
    /// Header, dot, and the whole groups of the constant octets.
    text: Vec<u8>,
    /// The constant octets that fill no group.
    rest: Vec<u8>,
    constant_octets: usize,
    header: ProtectedHeader,
    hashed: Option<HmacContext>,
}

impl Template {
    /// Prepares tokens that begin with the octets `constant`; none is fine too.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] if the header names another algorithm than the key's, [`Error::Critical`] for an
    /// unencoded payload, [`Error::TooLarge`] beyond [`super::MINT_CHARS_MAX`].
    pub fn new(key: Arc<SigningKey>, header: &ProtectedHeader, constant: &[u8]) -> Result<Self, Error> {
        key.check_header(header)?;
        check_length(header, constant.len(), key.signature_octets())?;
        let (groups, rest) = constant.split_at(constant.len() - constant.len() % GROUP_OCTETS);
        let mut text = header.encoded().as_bytes().to_vec();
        text.push(b'.');
        base64url::encode_append(groups, &mut text);
        let hashed = key.hmac_context().map(|mut context| {
            context.update(&text);
            context
        });
        let (rest, constant_octets) = (rest.to_vec(), constant.len());
        Ok(Self { key, text, rest, constant_octets, header: header.clone(), hashed })
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Appends the token whose payload is the constant octets and `tail`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`super::MINT_CHARS_MAX`], [`Error::SelfCheck`]; `out` is then as before.
    pub fn mint(&self, tail: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        check_length(&self.header, self.constant_octets + tail.len(), self.key.signature_octets())?;
        let start = out.len();
        out.extend_from_slice(&self.text);
        self.append_tail(tail, out);
        match &self.hashed {
            Some(hashed) => {
                let mut context = hashed.clone();
                context.update(&out[start + self.text.len()..]);
                super::sign::append_signature(context.finish().as_ref(), out);
                Ok(())
            }
            None => self.key.sign_and_append(start, out).inspect_err(|_| out.truncate(start)),
        }
    }

    /// Mints one token after another and hands each to `take`, in order; one that fails fails alone.
    pub fn mint_batch<'t>(
        &self,
        tails: impl IntoIterator<Item = &'t [u8]>,
        mut take: impl FnMut(Result<&[u8], Error>),
    ) {
        let mut token = Vec::new();
        for tail in tails {
            token.clear();
            take(self.mint(tail, &mut token).map(|()| token.as_slice()));
        }
    }

    /// The first group is made of what is left of the constant octets and the beginning of the tail.
    fn append_tail(&self, tail: &[u8], out: &mut Vec<u8>) {
        if self.rest.is_empty() {
            return base64url::encode_append(tail, out);
        }
        let missing = (GROUP_OCTETS - self.rest.len()).min(tail.len());
        let (first, others) = tail.split_at(missing);
        let mut group = [0; GROUP_OCTETS];
        let filled = self.rest.len() + first.len();
        group[..self.rest.len()].copy_from_slice(&self.rest);
        group[self.rest.len()..filled].copy_from_slice(first);
        base64url::encode_append(&group[..filled], out);
        base64url::encode_append(others, out);
    }
}

impl SigningKey {
    /// Signs one input after another and hands each signature to `take`, in order; one that fails fails alone.
    pub fn sign_batch<'i>(
        &self,
        inputs: impl IntoIterator<Item = &'i [u8]>,
        mut take: impl FnMut(Result<&[u8], Error>),
    ) {
        let mut signature = Vec::with_capacity(self.signature_octets());
        for input in inputs {
            signature.clear();
            take(self.sign(input, &mut signature).map(|()| signature.as_slice()));
        }
    }
}
