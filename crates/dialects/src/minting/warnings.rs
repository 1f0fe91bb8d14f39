//! What is risky in a token, by the section of the current practices for JSON Web Tokens (RFC 8725) that says so.

use jose::jwa::{SignatureAlgorithm, SignatureFamily};
use plan::Value;

use super::symbol::Symbol;
use super::{ClaimSource, KeyOrigin, Kid, Layer, Life, Minting, Token};

/// A warning of RFC 8725, or of what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Its fixed name.
    pub code: &'static str,
    /// The section that says so.
    pub section: &'static str,
    /// One sentence.
    pub message: String,
}

/// Whether the caller decides what a value is.
pub(super) type IsSent<'a> = &'a dyn Fn(&Symbol) -> bool;

/// What is risky in the tokens of one place.
pub(super) fn of(token: Option<&Token>, is_sent: IsSent<'_>) -> Vec<Warning> {
    let mut told = Vec::new();
    let mut tell = |code, section, message: String| told.push(Warning { code, section, message });
    let Some(token) = token else {
        let message = "What the script signs, and with what, is in its code, which is not read.".to_owned();
        tell("script_mints", "RFC 8725 section 3.1", message);
        return told;
    };
    for (name, layer) in [("signature", &token.signature), ("encryption", &token.encryption)] {
        let Some(layer) = layer else { continue };
        for (code, section, message) in of_layer(layer, is_sent) {
            tell(code, section, format!("{name}: {message}"));
        }
    }
    if token.signature.is_none() && token.encryption.is_none() {
        let message = "The token is not signed: anybody can make one.";
        tell("unsigned", "RFC 8725 section 3.2", message.to_owned());
    } else if token.signature.is_none() {
        let message = "The token is encrypted and not signed: whoever has the key to encrypt can make one.";
        tell("not_signed", "RFC 8725 section 3.3", message.to_owned());
    }
    let named = |name: &str| token.claims.iter().find(|claim| claim.name.as_deref() == Some(name));
    let knows_all = token.claims.iter().all(|claim| claim.name.is_some());
    if knows_all && named("iss").is_none() {
        tell("no_issuer", "RFC 8725 section 3.8", "No claim `iss` says who issued the token.".to_owned());
    }
    if knows_all && named("aud").is_none() {
        let message = "No claim `aud` says for whom the token is: who takes it cannot tell it from one for others.";
        tell("no_audience", "RFC 8725 section 3.9", message.to_owned());
    }
    if token.lifetime == Life::Unbounded && knows_all && named("exp").is_none() {
        let message = "The token never expires; it holds as long as its key.";
        tell("no_expiry", "RFC 7519 section 4.1.4", message.to_owned());
    }
    for claim in
        token.claims.iter().filter(|claim| matches!(&claim.from, ClaimSource::Symbol(symbol) if is_sent(symbol)))
    {
        let name = claim.name.as_deref().unwrap_or("claims");
        let message = format!("`{name}` is what the caller sends: check who calls before the token vouches for it.");
        tell("claim_sent", "RFC 8725 section 3.10", message);
    }
    let explicit = |layer: &Layer| layer.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if !token.signature.iter().chain(&token.encryption).any(explicit) {
        let message = "No explicit `typ` keeps the token from being taken for one of another kind.";
        tell("no_explicit_type", "RFC 8725 section 3.11", message.to_owned());
    }
    told
}

/// What is risky in several places of one document.
pub(super) fn across(all: &mut [Minting]) {
    let keys: Vec<_> =
        all.iter().map(|minting| Some(minting.token.as_ref()?.signature.as_ref()?.key.from.clone())).collect();
    for (at, minting) in all.iter_mut().enumerate() {
        let shared = keys[at]
            .as_ref()
            .and_then(|key| (0..keys.len()).find(|other| *other != at && keys[*other].as_ref() == Some(key)));
        if let (
            Some(_),
            Some(KeyOrigin::Secret(_) | KeyOrigin::Ring(_) | KeyOrigin::Bound(_) | KeyOrigin::Variable(_)),
        ) = (shared, &keys[at])
        {
            let message =
                "Another place of the document signs with the same key: whoever verifies must tell the two kinds \
                           of token apart."
                    .to_owned();
            minting.warnings.push(Warning { code: "key_shared", section: "RFC 8725 section 3.12", message });
        }
    }
}

fn of_layer(layer: &Layer, is_sent: IsSent<'_>) -> Vec<(&'static str, &'static str, String)> {
    let mut told = Vec::new();
    let algorithm = layer.algorithm.value();
    let name = algorithm.as_ref().and_then(Value::as_text);
    match name {
        Some("RSA1_5") => {
            let message = "`RSA1_5` leaks through how errors are told; use `RSA-OAEP-256`.".to_owned();
            told.push(("rsa_1_5", "RFC 8725 section 3.2", message));
        }
        None if algorithm.is_none() => {
            let message = "the algorithm is chosen by each message.".to_owned();
            told.push(("algorithm_sent", "RFC 8725 section 3.1", message));
        }
        Some(_) | None => {}
    }
    let is_hmac = name
        .and_then(|name| SignatureAlgorithm::by_name(name).ok())
        .is_some_and(|row| matches!(row.family, SignatureFamily::Hmac(_)));
    if is_hmac && layer.allows_weak {
        let message =
            "a secret shorter than its hash is taken; a word that a person can remember can be guessed.".to_owned();
        told.push(("secret_weak", "RFC 8725 section 3.5", message));
    }
    if layer.key.from == KeyOrigin::Document && layer.content.is_none() {
        let message = "the key stands in the document.".to_owned();
        told.push(("key_in_document", "RFC 8725 section 3.5", message));
    }
    if let KeyOrigin::Message(symbol) = &layer.key.from
        && is_sent(symbol)
    {
        let message = "the key is what the caller sends.".to_owned();
        told.push(("key_sent", "RFC 8725 section 3.10", message));
    }
    if let Kid::Named(symbol) = &layer.kid
        && is_sent(symbol)
    {
        let message = "`kid` is what the caller sends; who verifies looks keys up by it.".to_owned();
        told.push(("kid_sent", "RFC 8725 section 3.10", message));
    }
    told
}
