//! Takes a token apart, compact or JSON, as far as that goes without a key.

use jose::base64url;
use jose::json::{Limits, Object, Value};

use crate::exit::{ExitCode, Failure};

/// What can be seen of a token without a key.
pub(super) struct Seen {
    /// `JWS` or `JWE`.
    pub(super) kind: &'static str,
    /// `compact`, `flattened` or `general` (RFC 7515 section 7, RFC 7516 section 7).
    pub(super) form: &'static str,
    /// The header; in the general form what all signatures or recipients share.
    pub(super) header: Object,
    /// In the general form, the header of each signature or recipient.
    pub(super) each: Vec<Object>,
    /// The claims; none in a JWE, whose content is sealed, and none if the payload is no JSON object.
    pub(super) claims: Option<Object>,
    /// Name and length in characters of each part.
    pub(super) sizes: Vec<(String, usize)>,
}

impl Seen {
    pub(super) fn of(token: &str) -> Result<Self, Failure> {
        if token.trim_start().starts_with('{') { Self::of_json(token) } else { Self::of_compact(token) }
    }

    fn of_compact(token: &str) -> Result<Self, Failure> {
        let parts: Vec<&str> = token.split('.').collect();
        let (kind, names): (_, &[&str]) = match parts.len() {
            3 => ("JWS", &["header", "payload", "signature"]),
            5 => ("JWE", &["header", "encrypted key", "iv", "ciphertext", "tag"]),
            count => return Err(malformed(format!("a compact token has 3 parts or 5, and this has {count}"))),
        };
        let header = object(parts[0]).map_err(|why| malformed(format!("the header {why}")))?;
        let claims = if kind == "JWS" { object(parts[1]).ok() } else { None };
        let sizes = names.iter().zip(&parts).map(|(name, part)| ((*name).to_owned(), part.len())).collect();
        Ok(Self { kind, form: "compact", header, each: Vec::new(), claims, sizes })
    }

    fn of_json(token: &str) -> Result<Self, Failure> {
        let whole = Value::parse(token.as_bytes(), Limits::REQUEST)
            .map_err(|error| malformed(format!("the token is not strict JSON: {}", error.kind)))?;
        let whole = whole.as_object().ok_or_else(|| malformed("the token is no JSON object".into()))?;
        let (kind, list, names): (_, _, &[&str]) = match (whole.get("payload"), whole.get("ciphertext")) {
            (Some(_), None) => ("JWS", "signatures", &["payload", "signature"]),
            (None, Some(_)) => ("JWE", "recipients", &["encrypted_key", "iv", "ciphertext", "tag", "aad"]),
            _ => return Err(malformed("a JSON token has either a `payload` or a `ciphertext`".into())),
        };
        let (form, each) = match whole.get(list) {
            None => ("flattened", Vec::new()),
            Some(Value::Array(each)) if !each.is_empty() => ("general", each.iter().map(header_of).collect()),
            Some(_) => return Err(malformed(format!("`{list}` is no array with an entry"))),
        };
        let each = each.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut sizes = sizes(whole, names, "");
        if let Some(Value::Array(entries)) = whole.get(list) {
            for (number, entry) in (1..).zip(entries) {
                let own = entry.as_object().map(|entry| self::sizes(entry, names, &format!(" {number}")));
                sizes.extend(own.unwrap_or_default());
            }
        }
        let claims = whole.get("payload").and_then(Value::as_text).and_then(|payload| object(payload).ok());
        Ok(Self { kind, form, header: header_of(&Value::Object(whole.clone()))?, each, claims, sizes })
    }

    /// The header and, in the general form, each of the others.
    pub(super) fn headers(&self) -> impl Iterator<Item = &Object> {
        std::iter::once(&self.header).chain(&self.each)
    }
}

/// The members of all parts of a header; where two have one, the protected part is shown.
fn header_of(entry: &Value) -> Result<Object, Failure> {
    let entry = entry.as_object().ok_or_else(|| malformed("an entry of the token is no object".into()))?;
    let mut header = match entry.get("protected").map(Value::as_text) {
        None => Object::new(),
        Some(None) => return Err(malformed("the protected header is no text".into())),
        Some(Some(text)) => object(text).map_err(|why| malformed(format!("the protected header {why}")))?,
    };
    for part in ["unprotected", "header"] {
        let Some(part) = entry.get(part) else { continue };
        let part = part.as_object().ok_or_else(|| malformed("an unprotected header is no object".into()))?;
        for (name, value) in part.iter().filter(|(name, _)| entry_is_new(&header, name)).collect::<Vec<_>>() {
            header.insert(name.to_owned(), value.clone());
        }
    }
    Ok(header)
}

fn entry_is_new(header: &Object, name: &str) -> bool {
    header.get(name).is_none()
}

fn sizes(entry: &Object, names: &[&str], behind: &str) -> Vec<(String, usize)> {
    let size = |name: &&str| Some((format!("{}{behind}", name.replace('_', " ")), entry.get(name)?.as_text()?.len()));
    names.iter().filter_map(size).collect()
}

fn object(part: &str) -> Result<Object, String> {
    let octets = base64url::decode(part).map_err(|_| "is not base64url".to_owned())?;
    match Value::parse(&octets, Limits::CLAIMS).map_err(|error| format!("is not strict JSON: {}", error.kind))? {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Array(_) => {
            Err("is no JSON object".to_owned())
        }
    }
}

fn malformed(message: String) -> Failure {
    Failure::new(ExitCode::Refused, "malformed", message)
        .hint("A token is base64url parts with dots between them, or a JSON object with `payload` or `ciphertext`.")
}
