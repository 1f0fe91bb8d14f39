//! Signing in one call with a key at hand, or in parts with a key elsewhere.

use super::ProtectedHeader;
use crate::{
    Error, base64url,
    jwa::SignatureLength,
    private::{SigningKey, VerifyingKey},
};

/// Most characters of a token that is written; dialects narrow it.
pub const MINT_CHARS_MAX: usize = 2_097_152;

impl SigningKey {
    /// Appends the compact serialization of `payload` under `header` to `out`. The payload's octets are signed as
    /// they are. `out` may be used again: a warm HMAC signature allocates nothing.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] if the header names another algorithm than this key's, [`Error::TooLarge`] beyond
    /// [`MINT_CHARS_MAX`], [`Error::SelfCheck`]; `out` is then as before.
    pub fn sign_compact(&self, header: &ProtectedHeader, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.check_header(header)?;
        check_length(header, payload.len(), self.signature_octets())?;
        let start = out.len();
        signing_input(header, payload, out);
        self.sign_and_append(start, out).inspect_err(|_| out.truncate(start))
    }

    pub(super) fn check_header(&self, header: &ProtectedHeader) -> Result<(), Error> {
        if header.algorithm() != self.algorithm() {
            return Err(Error::key_unfit("the header names another algorithm than the key's"));
        }
        if header.is_unencoded() {
            return Err(Error::critical("a payload with `b64` false lies outside the token"));
        }
        Ok(())
    }

    /// Signs what stands in `out` from `start` on and appends a dot and the signature.
    pub(super) fn sign_and_append(&self, start: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(mut context) = self.hmac_context() {
            context.update(&out[start..]);
            append_signature(context.finish().as_ref(), out);
            return Ok(());
        }
        let mut signature = Vec::with_capacity(self.signature_octets());
        self.sign(&out[start..], &mut signature)?;
        append_signature(&signature, out);
        Ok(())
    }
}

/// Appends the JWS signing input (RFC 7515 section 2): header, dot, payload, both in base64url.
pub fn signing_input(header: &ProtectedHeader, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(header.encoded().as_bytes());
    out.push(b'.');
    base64url::encode_append(payload, out);
}

/// A token whose signature is made elsewhere: the input goes out, the signature comes back.
pub struct Remote {
    token: Vec<u8>,
    signature_octets: usize,
}

impl Remote {
    /// Begins a token. `modulus_octets` is the size of an RSA key's modulus; other algorithms do not look at it.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`MINT_CHARS_MAX`].
    pub fn begin(header: &ProtectedHeader, payload: &[u8], modulus_octets: usize) -> Result<Self, Error> {
        let signature_octets = match header.algorithm().signature {
            SignatureLength::Octets(octets) => octets,
            SignatureLength::Modulus => modulus_octets,
        };
        check_length(header, payload.len(), signature_octets)?;
        let mut token = Vec::new();
        signing_input(header, payload, &mut token);
        Ok(Self { token, signature_octets })
    }

    /// The octets to sign.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        &self.token
    }

    /// Takes the signature and gives the token. With `check`, the signature itself is verified first.
    ///
    /// # Errors
    /// [`Error::SelfCheck`] if the signature has the wrong length or does not hold.
    pub fn finish(mut self, signature: &[u8], check: Option<&VerifyingKey>) -> Result<Vec<u8>, Error> {
        if signature.len() != self.signature_octets {
            return Err(Error::SelfCheck { why: "the signature has another length than its algorithm" });
        }
        if check.is_some_and(|key| key.verify(&self.token, signature).is_err()) {
            return Err(Error::SelfCheck { why: "the signature does not hold under the public key" });
        }
        append_signature(signature, &mut self.token);
        Ok(self.token)
    }
}

pub(super) fn append_signature(signature: &[u8], out: &mut Vec<u8>) {
    out.push(b'.');
    base64url::encode_append(signature, out);
}

pub(super) fn check_length(
    header: &ProtectedHeader,
    payload_octets: usize,
    signature_octets: usize,
) -> Result<(), Error> {
    let payload_chars = base64url::encoded_len(payload_octets);
    let chars = header.encoded().len() + payload_chars + base64url::encoded_len(signature_octets) + 2;
    if chars > MINT_CHARS_MAX {
        return Err(Error::TooLarge { what: "the token", max: MINT_CHARS_MAX, unit: "characters" });
    }
    Ok(())
}
