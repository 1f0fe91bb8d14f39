//! A wish for tokens, written as the body of a request to mint one.

use jose::json::{Object, Value as Json};
use plan::Value;

use super::vocabulary::{ALGORITHMS, ring_name};
use super::{KeyKind, PUBLIC};
use crate::intent::{Change, Intent, Key, Kid, Page, Wish, json_of, object, text};

/// Writes it.
///
/// # Errors
/// What a request cannot say.
pub(crate) fn write(intent: &Intent) -> Result<Page, Vec<Change>> {
    let mut unsaid = Vec::new();
    let mut tell = |what: &str, how: String| unsaid.push(Change::new(what, how));
    let (mut payload, mut issuer) = (Object::new(), None);
    for (name, wish) in &intent.claims {
        match (&**name, wish) {
            ("iat", Wish::IssuedAt) | ("exp", Wish::Expires) => {}
            ("iss", Wish::Constant(Value::Text(text))) => issuer = Some(text.clone()),
            (name, Wish::Constant(value)) => {
                let json = json_of(value).unwrap_or(Json::Null);
                let _none = payload.insert(name.to_owned(), json);
            }
            (name, Wish::IssuedAt | Wish::Expires | Wish::Fresh | Wish::Sent(_)) => {
                tell("claim", format!("`{name}` is another for each token, and everything in a request is said."));
            }
        }
    }
    for name in ["iat", "iss"] {
        if intent.claim(name).is_none() {
            tell("claim", format!("`{name}` stands in every token there."));
        }
    }
    if intent.lifetime_secs.is_none() {
        tell("lifetime", "Every token ends there.".to_owned());
    }
    if intent.encryption.is_some() {
        tell("encryption", "A core only signs.".to_owned());
    }
    let Some(signature) = &intent.signature else {
        tell("signature", "A core signs every token.".to_owned());
        return Err(unsaid);
    };
    if !ALGORITHMS.contains(&&*signature.algorithm) {
        tell("signature", format!("A core signs with {} alone.", ALGORITHMS.join(", ")));
    }
    if let Kid::Named(kid) = &signature.kid {
        tell("signature", format!("`kid` would not be `{kid}`: a core names its keys itself."));
    }
    if !unsaid.is_empty() {
        return Err(unsaid);
    }
    let kind = if signature.key == Key::Own { KeyKind::Static } else { KeyKind::Dynamic };
    let ring = format!("{PUBLIC}/{}", ring_name(kind, &signature.algorithm));
    let root = object([
        ("algorithm", text(&signature.algorithm)),
        ("jwksDomain", text(issuer.as_deref().unwrap_or_default())),
        ("validity", Json::Number(intent.lifetime_secs.unwrap_or_default().to_string())),
        ("payload", Json::Object(payload)),
        ("useStaticSigningKey", Json::Bool(kind == KeyKind::Static)),
    ]);
    let notes = vec![Change::new(
        "key",
        format!("The ring `{ring}` of the core signs: `chancery keys import {ring} FILE` brings a key into it."),
    )];
    Ok(Page::new(root, notes))
}
