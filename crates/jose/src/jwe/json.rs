//! The JSON serializations (RFC 7516 section 7.2): flattened for one recipient, general for up to sixteen.

use super::{Decrypted, Decrypter, DecryptionKeys, EncryptionPlan, decrypt::Envelope, encrypt::Sealed};
use crate::{
    Error, Random, base64url,
    header::{JoseHeader, joined},
    header_plan::text_member,
    json::{Limits, Object, Value},
    jwa::ContentEncryption,
    jws::{MINT_CHARS_MAX, TOKEN_CHARS_MAX},
    private::{Cek, EncryptedKey, EncryptionKey, Parties, draw_cek},
};

/// Most recipients of one JWE.
pub const RECIPIENTS_MAX: usize = 16;

impl EncryptionPlan {
    /// Appends the flattened serialization: the members of the compact one, in JSON. `aad` is covered by the tag
    /// and readable by all; `None` leaves it out.
    ///
    /// # Errors
    /// As [`EncryptionPlan::encrypt_compact`].
    pub fn encrypt_flattened(
        &self,
        key: &EncryptionKey,
        plaintext: &[u8],
        aad: Option<&[u8]>,
        random: &mut dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut protected = Vec::new();
        let encrypted = self.protect(key, random, &mut protected)?;
        let covered = covered(&protected, aad);
        let sealed = Sealed::new(self.enc(), &encrypted.cek, self.compressed(plaintext)?, &covered, random)?;
        let start = out.len();
        out.extend_from_slice(b"{\"protected\":\"");
        out.extend_from_slice(&protected);
        out.push(b'"');
        if !encrypted.octets.is_empty() {
            text_member(out, "encrypted_key", &base64url::encode(&encrypted.octets));
        }
        finish(&sealed, aad, start, out)
    }
}

/// Appends the general serialization: one CEK for every recipient, `enc` and `cty` protected, `alg` and `kid` beside
/// each key.
///
/// # Errors
/// [`Error::TooLarge`] beyond [`RECIPIENTS_MAX`], [`Error::Malformed`] for none, [`Error::KeyUnfit`] for an
/// algorithm that decides the CEK itself (`dir`, `ECDH-ES`), and as [`EncryptionPlan::encrypt_compact`].
pub fn encrypt_general(
    recipients: &[&EncryptionKey],
    enc: &'static ContentEncryption,
    cty: Option<&str>,
    plaintext: &[u8],
    random: &mut dyn Random,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if recipients.is_empty() {
        return Err(malformed("has no recipient"));
    }
    too_many(recipients.len())?;
    if recipients.iter().any(|key| key.decides_cek()) {
        return Err(Error::key_unfit("`dir` and `ECDH-ES` have one recipient only"));
    }
    let start = out.len();
    let mut protected = vec![b'{'];
    text_member(&mut protected, "enc", enc.name);
    cty.into_iter().for_each(|cty| text_member(&mut protected, "cty", cty));
    protected.push(b'}');
    let protected = base64url::encode(&protected).into_bytes();
    let cek = draw_cek(enc, random)?;
    out.extend_from_slice(b"{\"protected\":\"");
    out.extend_from_slice(&protected);
    out.extend_from_slice(b"\",\"recipients\":[");
    for (index, key) in recipients.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"header\":{" } else { b"{\"header\":{" });
        let octets = write_recipient(key, enc, &cek, random, out).inspect_err(|_| out.truncate(start))?;
        out.push(b'}');
        text_member(out, "encrypted_key", &base64url::encode(&octets));
        out.push(b'}');
    }
    out.push(b']');
    let sealed = Sealed::new(enc, &Cek::Fresh(cek), plaintext.to_vec(), &protected, random)?;
    finish(&sealed, None, start, out)
}

fn write_recipient(
    key: &EncryptionKey,
    enc: &'static ContentEncryption,
    cek: &[u8],
    random: &mut dyn Random,
    out: &mut Vec<u8>,
) -> Result<Vec<u8>, Error> {
    text_member(out, "alg", key.algorithm().name);
    if let Some(kid) = key.kid() {
        text_member(out, "kid", kid);
    }
    let parties = Parties { apu: &[], apv: &[] };
    let EncryptedKey { octets, .. } = key.encrypt_key(enc, Some(cek), parties, out, random)?;
    Ok(octets)
}

fn finish(sealed: &Sealed, aad: Option<&[u8]>, start: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    if let Some(aad) = aad {
        text_member(out, "aad", &base64url::encode(aad));
    }
    text_member(out, "iv", &base64url::encode(sealed.iv()));
    text_member(out, "ciphertext", &base64url::encode(&sealed.ciphertext));
    text_member(out, "tag", &base64url::encode(sealed.tag.as_ref()));
    out.push(b'}');
    if out.len() - start > MINT_CHARS_MAX {
        out.truncate(start);
        return Err(Error::TooLarge { what: "the token", max: MINT_CHARS_MAX, unit: "characters" });
    }
    Ok(())
}

/// What the tag covers besides the ciphertext (RFC 7516 section 5.1 step 14).
fn covered(protected: &[u8], aad: Option<&[u8]>) -> Vec<u8> {
    let mut covered = protected.to_vec();
    if let Some(aad) = aad {
        covered.push(b'.');
        base64url::encode_append(aad, &mut covered);
    }
    covered
}

impl Decrypter {
    /// Decrypts a flattened or general JWE: the first recipient whose key is at hand and holds.
    ///
    /// # Errors
    /// As [`Decrypter::decrypt`]. If no recipient holds: the fault of the last one that had a key.
    pub fn decrypt_json<'k>(
        &self,
        token: &str,
        keys: impl Into<DecryptionKeys<'k>>,
        random: &mut dyn Random,
    ) -> Result<Decrypted, Error> {
        let token = Serialized::parse(token)?;
        let headers = token.headers()?;
        let keys = keys.into();
        let mut budget = self.budget();
        let envelope = Envelope {
            aad: &token.covered,
            iv: token.octets("iv")?,
            ciphertext: token.octets("ciphertext")?,
            tag: token.octets("tag")?,
        };
        let mut failure = Error::NoKey { why: "no recipient has an algorithm of this reader's list".into() };
        for (recipient_index, (header, encrypted)) in headers.into_iter().enumerate() {
            let opened =
                self.admit(&header).and_then(|()| self.open(&header, &encrypted, &envelope, keys, &mut budget, random));
            match opened {
                Ok((plaintext, key_index)) => {
                    let plaintext = self.inflated(&header, plaintext)?;
                    return Ok(Decrypted { header, plaintext, key_index, recipient_index });
                }
                Err(error @ Error::TooLarge { .. }) => return Err(error),
                Err(error) => failure = worse(failure, error),
            }
        }
        Err(failure)
    }
}

/// Which fault is told: one of a recipient with a key before one without.
fn worse(before: Error, now: Error) -> Error {
    let has_no_key = |error: &Error| matches!(error, Error::NoKey { .. });
    if has_no_key(&now) && !has_no_key(&before) { before } else { now }
}

/// The members of a JWE in JSON.
struct Serialized {
    members: Object,
    recipients: Vec<Object>,
    covered: Vec<u8>,
}

impl Serialized {
    fn parse(token: &str) -> Result<Self, Error> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::TooLarge { what: "the token", max: TOKEN_CHARS_MAX, unit: "characters" });
        }
        let Value::Object(mut members) = Value::parse(token.as_bytes(), Limits::REQUEST)? else {
            return Err(malformed("is no object"));
        };
        let flattened = ["encrypted_key", "header"].iter().any(|name| members.get(name).is_some());
        let recipients = match members.remove("recipients") {
            None => vec![recipient_of(&mut members)],
            Some(_) if flattened => return Err(malformed("is flattened and general at once")),
            Some(Value::Array(recipients)) if !recipients.is_empty() => {
                let objects =
                    recipients.into_iter().map(|value| value.as_object().cloned()).collect::<Option<Vec<_>>>();
                objects.ok_or_else(|| malformed("has a recipient that is no object"))?
            }
            Some(_) => return Err(malformed("has `recipients` that are no array of one or more")),
        };
        too_many(recipients.len())?;
        let mut token = Self { members, recipients, covered: Vec::new() };
        let aad = token.members.get("aad").is_some().then(|| token.octets("aad")).transpose()?;
        token.covered = covered(token.text("protected")?.unwrap_or_default().as_bytes(), aad.as_deref());
        Ok(token)
    }

    /// The header and encrypted key of each recipient.
    fn headers(&self) -> Result<Vec<(JoseHeader, Vec<u8>)>, Error> {
        let protected = self.text("protected")?.unwrap_or_default();
        let shared = object(&self.members, "unprotected")?;
        let one = |recipient: &Object| {
            let header = joined(protected, &[shared, object(recipient, "header")?], &["crit", "zip"])?;
            let encrypted = match recipient.get("encrypted_key") {
                None => Vec::new(),
                Some(Value::Text(text)) => base64url::decode(text)?,
                Some(_) => return Err(malformed("has an `encrypted_key` that is no text")),
            };
            Ok((header, encrypted))
        };
        self.recipients.iter().map(one).collect()
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(malformed("has a member that is no text where one belongs")),
        }
    }

    fn octets(&self, name: &'static str) -> Result<Vec<u8>, Error> {
        let text = self.text(name)?.ok_or_else(|| malformed("lacks `iv`, `ciphertext` or `tag`"))?;
        Ok(base64url::decode(text)?)
    }
}

fn recipient_of(members: &mut Object) -> Object {
    let mut recipient = Object::new();
    for name in ["header", "encrypted_key"] {
        if let Some(value) = members.remove(name) {
            recipient.insert(name.to_owned(), value);
        }
    }
    recipient
}

fn object<'a>(members: &'a Object, name: &str) -> Result<Option<&'a Object>, Error> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(malformed("has a header that is no object")),
    }
}

fn too_many(recipients: usize) -> Result<(), Error> {
    if recipients > RECIPIENTS_MAX {
        return Err(Error::TooLarge { what: "the token", max: RECIPIENTS_MAX, unit: "recipients" });
    }
    Ok(())
}

fn malformed(why: &'static str) -> Error {
    Error::malformed(format!("the JWE {why}"))
}
