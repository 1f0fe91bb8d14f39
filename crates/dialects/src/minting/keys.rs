//! Where keys come from and how large they are; never what they are.

use jose::jwk::{Jwk, PublicKey};
use jose::{PrivateJwk, SecretForm};
use plan::{Expr, KeyForm, KeyFrom, KeySource, Path, SecretRef, Text, Value};

use super::eval::eval;
use super::symbol::Symbol;
use crate::{FoundSecret, Lowered, SecretChange};

/// A key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where it comes from.
    pub from: KeyOrigin,
    /// Its type and size, if it stands in the document.
    pub size: Option<String>,
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyOrigin {
    /// A secret of the document.
    Secret(SecretRef),
    /// A key ring.
    Ring(Text),
    /// A key that is bound to this name when the document is served.
    Bound(Text),
    /// A variable of the process.
    Variable(Text),
    /// It stands in the document for everybody to read.
    Document,
    /// The message.
    Message(Symbol),
}

/// The key of a token plan.
pub(super) fn of_source(source: &KeySource, lowered: &Lowered) -> Key {
    match source {
        KeySource::Secret(secret) => of_secret(secret, KeyForm::Octets, lowered),
        KeySource::Given(name) => Key { from: KeyOrigin::Bound(name.clone()), size: None },
        KeySource::Variable(name) => Key { from: KeyOrigin::Variable(name.clone()), size: None },
    }
}

/// The key of a layer.
pub(super) fn of_from(from: &KeyFrom, message: &Symbol, lowered: &Lowered) -> Key {
    match from {
        KeyFrom::Given(name) => Key { from: KeyOrigin::Bound(name.clone()), size: None },
        KeyFrom::Secret(secret, form) => of_secret(secret, *form, lowered),
        KeyFrom::Ring(name) => Key { from: KeyOrigin::Ring(name.clone()), size: None },
        KeyFrom::Brought { of, form, .. } => brought(of, *form, message, lowered),
    }
}

fn of_secret(secret: &SecretRef, form: KeyForm, lowered: &Lowered) -> Key {
    let found = lowered.secrets().iter().find(|found| found.secret == *secret);
    let size = found.and_then(|found| match &found.change {
        SecretChange::Set(text) => size_of(text, form),
        SecretChange::Keep | SecretChange::Delete => None,
    });
    Key { from: KeyOrigin::Secret(secret.clone()), size }
}

fn brought(of: &Expr, form: KeyForm, message: &Symbol, lowered: &Lowered) -> Key {
    let symbol = eval(of, message);
    if let Symbol::Known(value @ (Value::Text(_) | Value::Map(_))) = &symbol {
        return Key { from: KeyOrigin::Document, size: size_of(value.as_text().unwrap_or_default(), form) };
    }
    let secret = if let Symbol::Sent(path) = &symbol { lowered.secret_at(path) } else { None };
    secret.map_or(Key { from: KeyOrigin::Message(symbol), size: None }, |secret| of_secret(&secret, form, lowered))
}

/// Type and size of a key in a text of this form; none if the text refers to a variable of the process, or is no key.
fn size_of(text: &str, form: KeyForm) -> Option<String> {
    let is_reference = text.starts_with("${") || text.starts_with("$(");
    if is_reference {
        return None;
    }
    let key = match Jwk::import(text.trim().as_bytes()) {
        Ok(key) => key,
        Err(_) if form == KeyForm::Octets => {
            PrivateJwk::from_secret(text.as_bytes(), SecretForm::AsIs).ok().map(Jwk::Private)?
        }
        Err(_) => return None,
    };
    let rsa = key.public().and_then(|public| match &public.key {
        PublicKey::Rsa(rsa) => Some(format!("an `RSA` key of {} bits", rsa.bits())),
        PublicKey::Ec(_) | PublicKey::Okp(_) | PublicKey::Akp { .. } => None,
    });
    Some(rsa.unwrap_or_else(|| key.shape().to_string()))
}

impl Lowered {
    /// The secrets that stood in the document.
    fn secrets(&self) -> &[FoundSecret] {
        match self {
            Self::NodeRed(lowered) => &lowered.secrets,
            Self::ApiConnect(lowered) => &lowered.secrets,
            Self::Orchestration(lowered) => &lowered.secrets,
        }
    }

    /// The secret that a message brings along at this path.
    fn secret_at(&self, path: &Path) -> Option<SecretRef> {
        match self {
            Self::NodeRed(_) | Self::Orchestration(_) => None,
            Self::ApiConnect(lowered) => crate::api_connect::vocabulary::secret_at(path, &lowered.flow.secrets),
        }
    }
}
