//! Detached payloads: compact JWS without its payload, and the unencoded payload of RFC 7797.

use super::{
    Keys, ProtectedHeader, TOKEN_CHARS_MAX, Verifier, signing_input,
    verify::{Verified, find_key},
};
use crate::{Error, base64url, header::JoseHeader, json::Value, private::SigningKey};

impl SigningKey {
    /// Appends a compact JWS whose payload is left out (RFC 7515 appendix F).
    ///
    /// # Errors
    /// As [`SigningKey::sign_compact`].
    pub fn sign_detached(&self, header: &ProtectedHeader, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.append_detached(header, payload, signing_input, out)
    }

    /// Appends a compact JWS over the payload as it is, left out (RFC 7797). The header must be one of
    /// [`ProtectedHeader::encode_unencoded_payload`].
    ///
    /// # Errors
    /// As [`SigningKey::sign_compact`].
    pub fn sign_unencoded(&self, header: &ProtectedHeader, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if !header.is_unencoded() {
            return Err(Error::critical("the header lacks `b64` false"));
        }
        self.append_detached(header, payload, unencoded_input, out)
    }

    fn append_detached(
        &self,
        header: &ProtectedHeader,
        payload: &[u8],
        write_input: fn(&ProtectedHeader, &[u8], &mut Vec<u8>),
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if header.algorithm() != self.algorithm() {
            return Err(Error::key_unfit("the header names another algorithm than the key's"));
        }
        let (mut input, mut signature) = (Vec::new(), Vec::new());
        write_input(header, payload, &mut input);
        self.sign(&input, &mut signature)?;
        out.extend_from_slice(header.encoded().as_bytes());
        out.extend_from_slice(b"..");
        base64url::encode_append(&signature, out);
        Ok(())
    }
}

impl Verifier {
    /// Verifies a compact JWS whose payload lies elsewhere. A header with `b64` false is taken if `crit` says so.
    ///
    /// # Errors
    /// As [`Verifier::verify`]; a payload in the token is [`Error::Malformed`].
    pub fn verify_detached<'k>(
        &self,
        token: &str,
        payload: &[u8],
        keys: impl Into<Keys<'k>>,
    ) -> Result<Verified, Error> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::TooLarge { what: "the token", max: TOKEN_CHARS_MAX, unit: "characters" });
        }
        let (protected, signature) = token
            .split_once("..")
            .filter(|(protected, signature)| !protected.contains('.') && !signature.contains('.'))
            .ok_or_else(|| Error::malformed("a detached JWS has two dots side by side between its two parts"))?;
        let header = JoseHeader::decode(protected)?;
        let algorithm = self.clone().understanding("b64").admit(&header)?;
        let signature = base64url::decode(signature)?;
        let mut input = [protected, "."].concat().into_bytes();
        match header.get("b64") {
            None | Some(Value::Bool(true)) => base64url::encode_append(payload, &mut input),
            Some(Value::Bool(false)) => input.extend_from_slice(payload),
            Some(_) => return Err(Error::header("b64", "is neither true nor false")),
        }
        let key_index = find_key(&header, algorithm, keys.into(), &input, &signature)?;
        Ok(Verified { payload: payload.to_vec(), header, key_index })
    }
}

fn unencoded_input(header: &ProtectedHeader, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(header.encoded().as_bytes());
    out.push(b'.');
    out.extend_from_slice(payload);
}
