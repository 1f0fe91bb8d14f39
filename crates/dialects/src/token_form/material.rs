//! Key material in a configuration: inline, kept sealed, in a variable, or in a ring.

use std::cell::RefCell;

use jose::json::{Value as Json, write_value};
use plan::{Expr, FaultKind, KeyForm, KeyFrom, SecretRef, Text, Value};

use super::form::{Form, Spot};
use super::template::Template;
use super::template_at;
use super::who::Who;

/// What marks a secret that is kept sealed: the one member of an object in its place.
const SEALED: &str = "$secret";

/// Whose secrets a configuration holds, and those that stand in it.
pub(crate) struct Keeping {
    /// The owner of the node's secrets.
    pub(crate) owner: Text,
    /// What the ids of all secrets of the document begin with.
    pub(crate) scope: Text,
    found: RefCell<Vec<Inline>>,
}

/// A secret that stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inline {
    /// Whose it is from now on.
    pub(crate) secret: SecretRef,
    /// What stands there.
    pub(crate) text: String,
    /// Where: JSON pointer.
    pub(crate) pointer: String,
}

/// One view of a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Material {
    /// A ring.
    Ring(Text),
    /// Kept sealed; the text, if it stood in the document.
    Sealed(SecretRef, KeyForm, Option<String>),
    /// A text with references.
    Template(Template, KeyForm),
    /// A public key in the document.
    Public(String),
}

impl Keeping {
    /// Keeps the secrets of a node, whose owner lies within this scope.
    pub(crate) fn new(owner: &str, scope: &str) -> Self {
        Self { owner: owner.into(), scope: scope.into(), found: RefCell::default() }
    }

    /// The secrets that stood in the configuration.
    pub(crate) fn into_found(self) -> Vec<Inline> {
        self.found.into_inner()
    }

    /// The secret of a field.
    pub(crate) fn secret(&self, field: &str) -> SecretRef {
        SecretRef { owner: self.owner.clone(), field: field.into() }
    }

    /// A member that is kept sealed, if it is there.
    pub(crate) fn read(&self, form: &mut Form<'_>, name: &'static str, block: &str, how: KeyForm) -> Option<Material> {
        let (at, field) = (form.at(name), format!("{block}/{name}"));
        let told = form.told();
        let text = match form.any(name)? {
            Json::Text(text) => text.clone(),
            Json::Object(object) if object.get(SEALED).is_some() => {
                let id = object.get(SEALED).and_then(Json::as_text).filter(|_| object.len() == 1);
                let Some(secret) = id.and_then(|id| self.named(id)) else {
                    let message = "A sealed secret is named by `{\"$secret\": \"id\"}`, with an id of this document.";
                    told.refuse("secret_unknown", &at, message, "Leave it as the export wrote it.");
                    return None;
                };
                return Some(Material::Sealed(secret, how, None));
            }
            object @ Json::Object(_) if how == KeyForm::JwkOrPem || how == KeyForm::Jwk => written(object),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                told.refuse("value_illegal", &at, format!("`{name}` must be a text."), "");
                return None;
            }
        };
        if text.is_empty() {
            return None;
        }
        let is_jwk = text.trim_start().starts_with('{') && !text.trim_start().starts_with("{{");
        if !is_jwk {
            let template = template_at(told, &at, &text, &field)?;
            if template.as_plain().is_none() {
                return Some(Material::Template(template, how));
            }
        }
        let secret = self.secret(&field);
        let inline = Inline { secret: secret.clone(), text: text.clone(), pointer: at.pointer().to_owned() };
        self.found.borrow_mut().push(inline);
        Some(Material::Sealed(secret, how, Some(text)))
    }

    fn named(&self, id: &str) -> Option<SecretRef> {
        let (owner, field) = id.split_once('#')?;
        let ours = owner == &*self.scope || owner.strip_prefix(&*self.scope).is_some_and(|rest| rest.starts_with('/'));
        (ours && !field.is_empty()).then(|| SecretRef { owner: owner.into(), field: field.into() })
    }
}

/// The id that stands in the document in the place of a secret.
pub(crate) fn sealed_id(secret: &SecretRef) -> String {
    format!("{}#{}", secret.owner, secret.field)
}

/// What stands in the document in the place of a secret.
pub(crate) fn sealed_json(secret: &SecretRef) -> Vec<u8> {
    let mut out = format!("{{\"{SEALED}\":").into_bytes();
    jose::json::write_text(&mut out, &sealed_id(secret));
    out.push(b'}');
    out
}

/// A member that is a public key, if it is there.
pub(crate) fn public(form: &mut Form<'_>, name: &'static str, block: &str) -> Option<Material> {
    let at: Spot = form.at(name);
    let told = form.told();
    let text = match form.any(name)? {
        Json::Text(text) => text.clone(),
        object @ Json::Object(_) => written(object),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
            told.refuse("value_illegal", &at, format!("`{name}` must be a text or a JWK."), "");
            return None;
        }
    };
    if text.is_empty() {
        return None;
    }
    if text.trim_start().starts_with("{{") {
        let template = template_at(told, &at, &text, format!("{block}/{name}"))?;
        return Some(Material::Template(template, KeyForm::Public));
    }
    Some(Material::Public(text))
}

impl Material {
    /// Where the key comes from.
    pub(crate) fn from(&self, who: &Who, block: &str) -> KeyFrom {
        let absent = || Box::new(who.fault(FaultKind::KeyMissing, "key.missing", block, &format!("{block}: no key")));
        match self {
            Self::Ring(name) => KeyFrom::Ring(name.clone()),
            Self::Sealed(secret, form, _) => KeyFrom::Secret(secret.clone(), *form),
            Self::Template(template, form) => {
                KeyFrom::Brought { of: template.expr(who), form: *form, absent: absent() }
            }
            Self::Public(text) => {
                let of = Expr::Literal(Value::text(text));
                KeyFrom::Brought { of, form: KeyForm::Public, absent: absent() }
            }
        }
    }

    /// The text, if it stands in the document.
    pub(crate) fn inline(&self) -> Option<&str> {
        match self {
            Self::Sealed(_, _, text) => text.as_deref(),
            Self::Public(text) => Some(text),
            Self::Ring(_) | Self::Template(..) => None,
        }
    }
}

fn written(value: &Json) -> String {
    let mut out = Vec::new();
    write_value(&mut out, value);
    String::from_utf8(out).expect("the JSON writer writes UTF-8")
}
