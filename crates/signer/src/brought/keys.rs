//! The keys in a text that a message brought: one, several of which one fits, or none.

use jose::json::{Limits, Object, Value, write_value};
use jose::jwa::{ContentEncryption, KeyAlgorithm, KeyFamily, KeyShape, SignatureAlgorithm, SignatureFamily, Switches};
use jose::jwk::{Jwk, KeyParameters};
use jose::{EncryptionKey, PrivateJwk, SecretForm};
use zeroize::Zeroizing;

use super::unfit;
use crate::fault::{Fault, FaultKind};

/// A key of the text. What it says of its own use does not bind: the policy decides.
pub(super) struct Candidate {
    pub(super) key: Jwk,
    pub(super) kid: Option<String>,
    /// The key's own `alg`, for a policy that names none.
    pub(super) algorithm: Option<String>,
}

/// The keys of a JWK, a list or a JWK Set. Of several, those that cannot be read are passed over.
///
/// # Errors
/// What is wrong with the text, or with the only key in it.
pub(super) fn read(text: &str) -> Result<Vec<Candidate>, Fault> {
    let tree = Zeroizing::new(Value::parse(text.as_bytes(), Limits::REQUEST).map_err(|error| unusable(&error.into()))?);
    let objects: Vec<&Object> = match &*tree {
        Value::Array(keys) => keys.iter().filter_map(Value::as_object).collect(),
        Value::Object(object) => match object.get("keys").and_then(Value::as_array) {
            Some(keys) => keys.iter().filter_map(Value::as_object).collect(),
            None => vec![object],
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Vec::new(),
    };
    let (mut found, mut first_fault) = (Vec::new(), None);
    for object in objects {
        match Candidate::read(object) {
            Ok(candidate) => found.push(candidate),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    if found.is_empty() {
        let none = || Fault { kind: FaultKind::Unusable, text: "the variable of the key holds no JWK".to_owned() };
        return Err(first_fault.unwrap_or_else(none));
    }
    Ok(found)
}

/// The same, or the one key of a PEM text.
///
/// # Errors
/// As [`read`].
pub(super) fn read_or_pem(text: &str) -> Result<Vec<Candidate>, Fault> {
    if text.trim_start().starts_with("-----BEGIN") {
        return Jwk::import(text.as_bytes()).map(|key| vec![Candidate::of(key)]).map_err(|error| unusable(&error));
    }
    read(text)
}

/// The same, but no private key.
///
/// # Errors
/// As [`read`], and for a private key.
pub(super) fn read_public(text: &str) -> Result<Vec<Candidate>, Fault> {
    let found = read_or_pem(text)?;
    if found.iter().any(|candidate| matches!(candidate.key, Jwk::Private(_))) {
        let text = "the key is private, where a public one belongs".to_owned();
        return Err(Fault { kind: FaultKind::Unusable, text });
    }
    Ok(found)
}

/// The shared secret whose octets these are.
///
/// # Errors
/// For no octets at all.
pub(super) fn octets(text: &str) -> Result<Vec<Candidate>, Fault> {
    let key = PrivateJwk::from_secret(text.as_bytes(), SecretForm::AsIs).map_err(|error| unusable(&error))?;
    Ok(vec![Candidate::of(Jwk::Private(key))])
}

/// What is made of the one key that fits.
///
/// # Errors
/// Why none fits, or that several do.
pub(super) fn only<T>(
    candidates: Vec<Candidate>,
    mut make: impl FnMut(&Candidate) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let (mut made, mut first_fault) = (None, None);
    for candidate in &candidates {
        match make(candidate) {
            Ok(_) if made.is_some() => {
                return Err(unfit("several keys of the set fit; name one alone".to_owned()));
            }
            Ok(fits) => made = Some(fits),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    made.ok_or_else(|| first_fault.unwrap_or_else(|| unfit("there is no key".to_owned())))
}

impl Candidate {
    fn read(object: &Object) -> Result<Self, Fault> {
        let mut text = Zeroizing::new(Vec::new());
        write_value(&mut text, &Value::Object(object.clone()));
        Jwk::parse(&text).map(Self::of).map_err(|error| unusable(&error))
    }

    /// A key that was given beside the flow: it has no `kid` of its own here, and no algorithm.
    pub(super) fn of_given(key: &Jwk) -> Self {
        let candidate = Self::of(copied(key));
        Self { kid: None, algorithm: None, ..candidate }
    }

    fn of(key: Jwk) -> Self {
        let parameters = match &key {
            Jwk::Public(public) => public.parameters.clone(),
            Jwk::Private(private) => private.parameters().clone(),
        };
        let KeyParameters { kid, alg, .. } = parameters;
        let key = match key {
            Jwk::Public(mut public) => {
                public.parameters = KeyParameters::default();
                Jwk::Public(public)
            }
            Jwk::Private(private) => Jwk::Private(private.with_parameters(KeyParameters::default())),
        };
        Self { key, kid, algorithm: alg }
    }

    /// The key under its own `kid`, for finding it in a set.
    pub(super) fn with_kid(&self) -> Jwk {
        let parameters = KeyParameters { kid: self.kid.clone(), ..KeyParameters::default() };
        match copied(&self.key) {
            Jwk::Public(mut public) => {
                public.parameters = parameters;
                Jwk::Public(public)
            }
            Jwk::Private(private) => Jwk::Private(private.with_parameters(parameters)),
        }
    }

    pub(super) fn shape(&self) -> KeyShape {
        match &self.key {
            Jwk::Public(public) => public.key.shape(),
            Jwk::Private(private) => private.shape(),
        }
    }

    /// The row that signs: the one that is named, else the key's own, else the usual one of such a key.
    pub(super) fn signature_row(
        &self,
        named: Option<&'static SignatureAlgorithm>,
    ) -> Result<(&'static SignatureAlgorithm, Vec<String>), Fault> {
        if let Some(row) = named {
            return Ok((row, Vec::new()));
        }
        if let Some(own) = &self.algorithm {
            return Ok((super::row(own)?, Vec::new()));
        }
        let shape = self.shape();
        let is_secret = matches!(shape, KeyShape::OctExact(_));
        let usual = if is_secret { Some(super::row("HS256")?) } else { SignatureAlgorithm::default_for(shape) };
        let usual = usual.ok_or_else(|| unfit("neither the policy nor the key names an algorithm".to_owned()))?;
        let told = format!("neither the policy nor the key names an algorithm; {} is taken", usual.name);
        Ok((usual, vec![told]))
    }

    /// A symmetric key must have exactly the length that its algorithm asks for.
    pub(super) fn check_length(&self, row: &KeyAlgorithm, content: &ContentEncryption) -> Result<(), Fault> {
        let needed = match row.family {
            KeyFamily::AesKw(size) | KeyFamily::AesGcmKw(size) => size.octets(),
            KeyFamily::Direct => content.cek_octets,
            KeyFamily::Rsa1_5 | KeyFamily::RsaOaep(_) | KeyFamily::EcdhEs(_) | KeyFamily::Pbes2(..) => return Ok(()),
        };
        let (name, needed_bits) = (row.name, needed * 8);
        let KeyShape::OctExact(found) = self.shape() else {
            return Err(unfit(format!("{name} needs a shared secret of {needed_bits} bits; this key is none")));
        };
        if found != needed {
            let found_bits = found * 8;
            let text = format!(
                "{name} needs a key of {needed_bits} bits ({needed} octets) here; this one has {found_bits} bits ({found} octets)"
            );
            return Err(Fault { kind: FaultKind::Length, text });
        }
        Ok(())
    }

    /// The key as one to encrypt with, under this `kid`.
    pub(super) fn encryption_key(
        &self,
        row: &'static KeyAlgorithm,
        kid: Option<&str>,
        switches: Switches,
    ) -> Result<EncryptionKey, Fault> {
        let named = Self { key: copied(&self.key), kid: kid.map(str::to_owned), algorithm: None };
        let key = match named.with_kid() {
            Jwk::Public(public) => EncryptionKey::new(row, &public, switches),
            Jwk::Private(private) => EncryptionKey::from_secret(row, &private, switches),
        };
        key.map_err(|error| Fault::in_key(&error))
    }

    /// Whether the key is one for HMAC, which decides what else may be tried with it.
    pub(super) fn is_secret_for(&self, row: &SignatureAlgorithm) -> bool {
        matches!(self.shape(), KeyShape::OctExact(_)) == matches!(row.family, SignatureFamily::Hmac(_))
    }
}

/// The same key once more: a private one has no `Clone`, so that no copy is made by chance.
fn copied(key: &Jwk) -> Jwk {
    match key {
        Jwk::Public(public) => Jwk::Public(public.clone()),
        Jwk::Private(private) => Jwk::Private(copied_private(private)),
    }
}

fn copied_private(key: &PrivateJwk) -> PrivateJwk {
    let mut text = Zeroizing::new(Vec::new());
    key.write_private(&mut text);
    match Jwk::parse(&text) {
        Ok(Jwk::Private(copy)) => copy,
        Ok(Jwk::Public(_)) | Err(_) => unreachable!("a private key that was written is read again"),
    }
}

fn unusable(error: &jose::Error) -> Fault {
    Fault { kind: FaultKind::Unusable, text: error.to_string() }
}
