//! The JSON serializations (RFC 7515 section 7.2), flattened and general, attached and detached.

use super::{Keys, MINT_CHARS_MAX, ProtectedHeader, TOKEN_CHARS_MAX, Verifier, verify::find_key};
use crate::{
    Error, base64url,
    header::{JoseHeader, joined},
    json::{Limits, Object, Value},
    private::SigningKey,
};

/// Most signatures of one JWS.
pub const SIGNATURES_MAX: usize = 16;

/// What one signature of a general JWS came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureReport {
    /// Its header, or why there is none to show.
    pub outcome: Result<Held, Error>,
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its protected and unprotected header together; only the protected part is covered.
    pub header: JoseHeader,
    /// Which key of the set held.
    pub key_index: usize,
}

/// A JWS in JSON, every signature told singly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonReport {
    payload: Vec<u8>,
    /// One for each signature, in order.
    pub signatures: Vec<SignatureReport>,
}

/// How many signatures must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// One at least.
    Any,
    /// Every one.
    All,
}

impl JsonReport {
    /// The payload, if as many signatures hold as asked for.
    ///
    /// # Errors
    /// The first failure among the signatures.
    pub fn payload(&self, quorum: Quorum) -> Result<&[u8], Error> {
        let failure = self.signatures.iter().find_map(|report| report.outcome.as_ref().err());
        let held = self.signatures.iter().any(|report| report.outcome.is_ok());
        match (quorum, failure) {
            (Quorum::Any, _) if held => Ok(&self.payload),
            (Quorum::All, None) if held => Ok(&self.payload),
            (_, Some(error)) => Err(error.clone()),
            (_, None) => Err(Error::BadSignature),
        }
    }
}

impl SigningKey {
    /// Appends the flattened serialization. `detached` leaves the payload out.
    ///
    /// # Errors
    /// As [`SigningKey::sign_compact`].
    pub fn sign_flattened(
        &self,
        header: &ProtectedHeader,
        payload: &[u8],
        detached: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let signature = self.sign_part(header, payload)?;
        out.push(b'{');
        if !detached {
            write_payload(out, payload);
            out.push(b',');
        }
        write_signature(out, header, &signature);
        out.push(b'}');
        Ok(())
    }

    fn sign_part(&self, header: &ProtectedHeader, payload: &[u8]) -> Result<Vec<u8>, Error> {
        let mut token = Vec::new();
        self.sign_compact(header, payload, &mut token)?;
        let dot = memchr::memrchr(b'.', &token).expect("a compact JWS has two dots");
        Ok(token.split_off(dot + 1))
    }
}

/// Appends the general serialization, one signature for each key.
///
/// # Errors
/// [`Error::TooLarge`] beyond [`SIGNATURES_MAX`], [`Error::Malformed`] for none, and as
/// [`SigningKey::sign_compact`].
pub fn sign_general(
    signers: &[(&SigningKey, &ProtectedHeader)],
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if signers.is_empty() {
        return Err(Error::malformed("a general JWS has one signature or more"));
    }
    too_many(signers.len())?;
    let start = out.len();
    out.push(b'{');
    write_payload(out, payload);
    out.extend_from_slice(b",\"signatures\":[");
    for (index, (key, header)) in signers.iter().enumerate() {
        let signature = key.sign_part(header, payload).inspect_err(|_| out.truncate(start))?;
        out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
        write_signature(out, header, &signature);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    if out.len() - start > MINT_CHARS_MAX {
        out.truncate(start);
        return Err(Error::TooLarge { what: "the token", max: MINT_CHARS_MAX, unit: "characters" });
    }
    Ok(())
}

/// The flattened serialization of a compact token; `None` if that has not three parts. Nothing is signed anew.
#[must_use]
pub fn to_flattened(compact: &str) -> Option<String> {
    let [protected, payload, signature] = parts(compact)?;
    Some(format!(r#"{{"payload":"{payload}","protected":"{protected}","signature":"{signature}"}}"#))
}

/// The general serialization, with one signature, of a compact token; `None` if that has not three parts.
#[must_use]
pub fn to_general(compact: &str) -> Option<String> {
    let [protected, payload, signature] = parts(compact)?;
    Some(format!(r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"{signature}"}}]}}"#))
}

fn parts(compact: &str) -> Option<[&str; 3]> {
    compact.split('.').collect::<Vec<_>>().try_into().ok()
}

fn write_payload(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend_from_slice(b"\"payload\":\"");
    base64url::encode_append(payload, out);
    out.push(b'"');
}

fn write_signature(out: &mut Vec<u8>, header: &ProtectedHeader, signature_text: &[u8]) {
    out.extend_from_slice(b"\"protected\":\"");
    out.extend_from_slice(header.encoded().as_bytes());
    out.extend_from_slice(b"\",\"signature\":\"");
    out.extend_from_slice(signature_text);
    out.push(b'"');
}

impl Verifier {
    /// Reads a flattened or general JWS and tells of every signature singly.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::TooLarge`] if the whole is not well formed.
    pub fn verify_json<'k>(&self, token: &str, keys: impl Into<Keys<'k>>) -> Result<JsonReport, Error> {
        let serialized = Serialized::parse(token)?;
        let payload = serialized.payload.as_deref().ok_or_else(|| malformed("has no `payload`"))?;
        serialized.judge(self, payload, keys.into())
    }

    /// Reads a flattened or general JWS whose payload lies elsewhere.
    ///
    /// # Errors
    /// As [`Self::verify_json`]; a payload in the token is [`Error::Malformed`].
    pub fn verify_json_detached<'k>(
        &self,
        token: &str,
        payload: &[u8],
        keys: impl Into<Keys<'k>>,
    ) -> Result<JsonReport, Error> {
        let serialized = Serialized::parse(token)?;
        if serialized.payload.is_some() {
            return Err(malformed("has a `payload`, which was to lie elsewhere"));
        }
        serialized.judge(self, &base64url::encode(payload), keys.into())
    }
}

/// The members of a JWS in JSON.
struct Serialized {
    payload: Option<String>,
    signatures: Vec<Object>,
}

impl Serialized {
    fn parse(token: &str) -> Result<Self, Error> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::TooLarge { what: "the token", max: TOKEN_CHARS_MAX, unit: "characters" });
        }
        let Value::Object(mut token) = Value::parse(token.as_bytes(), Limits::REQUEST)? else {
            return Err(malformed("is no object"));
        };
        let payload = match token.remove("payload") {
            None => None,
            Some(Value::Text(payload)) => Some(payload),
            Some(_) => return Err(malformed("has a `payload` that is no text")),
        };
        let flattened = ["signature", "protected", "header"].iter().any(|name| token.get(name).is_some());
        let signatures = match token.remove("signatures") {
            None => vec![token],
            Some(_) if flattened => return Err(malformed("is flattened and general at once")),
            Some(Value::Array(signatures)) if !signatures.is_empty() => objects(signatures)?,
            Some(_) => return Err(malformed("has `signatures` that are no array of one or more")),
        };
        too_many(signatures.len())?;
        Ok(Self { payload, signatures })
    }

    fn judge(&self, verifier: &Verifier, payload: &str, keys: Keys<'_>) -> Result<JsonReport, Error> {
        let judge = |signature: &Object| one(verifier, signature, payload, keys);
        let outcomes = self.signatures.iter().map(judge).collect::<Vec<_>>();
        if let Some(Err(error @ Error::Malformed { .. })) = outcomes.iter().find(|outcome| is_malformed(outcome)) {
            return Err(error.clone());
        }
        let signatures = outcomes.into_iter().map(|outcome| SignatureReport { outcome }).collect();
        Ok(JsonReport { payload: base64url::decode(payload)?, signatures })
    }
}

fn one(verifier: &Verifier, signature: &Object, payload: &str, keys: Keys<'_>) -> Result<Held, Error> {
    let text = |name: &str| match signature.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(malformed("has a member that is no text where one belongs")),
    };
    let protected = text("protected")?.unwrap_or_default();
    let octets = base64url::decode(text("signature")?.ok_or_else(|| malformed("has no `signature`"))?)?;
    let unprotected = match signature.get("header") {
        None => None,
        Some(Value::Object(header)) => Some(header),
        Some(_) => return Err(malformed("has a `header` that is no object")),
    };
    let header = joined(protected, &[unprotected], &["crit", "b64"])?;
    let algorithm = verifier.admit(&header)?;
    let input = [protected, ".", payload].concat();
    let key_index = find_key(&header, algorithm, keys, input.as_bytes(), &octets)?;
    Ok(Held { header, key_index })
}

fn is_malformed<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Malformed { .. }))
}

fn objects(values: Vec<Value>) -> Result<Vec<Object>, Error> {
    let object = |value| match value {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Array(_) => {
            Err(malformed("has a signature that is no object"))
        }
    };
    values.into_iter().map(object).collect()
}

fn too_many(signatures: usize) -> Result<(), Error> {
    if signatures > SIGNATURES_MAX {
        return Err(Error::TooLarge { what: "the token", max: SIGNATURES_MAX, unit: "signatures" });
    }
    Ok(())
}

fn malformed(why: &'static str) -> Error {
    Error::malformed(format!("the JWS {why}"))
}
