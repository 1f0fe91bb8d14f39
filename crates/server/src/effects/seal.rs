//! Tokens whose keys the message brings along or a ring holds: made by the signer, which alone looks into the keys.

use std::sync::Arc;

use jose::jwa::{Switch, Switches};
use plan::{Answer, FaultKind, HeaderForm, KeyForm, KeyHeld, KidFrom, Known, Refusal, SealLayer, SealRequest, Text};
use signer::{Brought, Form, Kid, Layer, SecretText, Software};

use super::{Begun, kind, sign};
use crate::rings::{Pace, Rings};
use crate::vault::owner;

pub(super) mod ring;

/// Who holds the keys.
#[derive(Clone)]
pub struct Holders {
    /// Keys that messages bring along, secrets, and keys that were given.
    pub signer: Arc<Software>,
    /// Keys that rotate.
    pub rings: Arc<Rings>,
}

/// Why a layer could not be made or opened.
pub(super) type Unmade = (SealLayer, FaultKind, Text);

/// A token with its signature, before it is encrypted.
struct Inner {
    token: String,
    claims: Vec<u8>,
    public: Option<String>,
    warnings: Vec<String>,
}

/// Makes a token: at once, or on a thread of its own if that may take long.
pub fn seal(holders: &Holders, request: SealRequest) -> Begun {
    let pace = pace(holders, &request);
    let of_thread = holders.clone();
    match pace {
        Pace::Fast => Begun::Done(sealed(holders, request)),
        Pace::Slow => sign::slowly(move || sealed(&of_thread, request)),
        Pace::Token => sign::outside(move || sealed(&of_thread, request)),
    }
}

/// A ring may have to store the horizon of its key first; other signatures tell by their algorithm.
fn pace(holders: &Holders, request: &SealRequest) -> Pace {
    let Some(layer) = &request.signature else { return Pace::Fast };
    match &layer.key {
        KeyHeld::Ring(name) if holders.rings.pace(&ring::id(name)) == Pace::Token => Pace::Token,
        KeyHeld::Ring(_) => Pace::Slow,
        KeyHeld::Given(_) | KeyHeld::Secret(..) | KeyHeld::Text(..) => {
            if Software::seals_slowly(layer.algorithm.as_deref()) { Pace::Slow } else { Pace::Fast }
        }
    }
}

fn sealed(holders: &Holders, request: SealRequest) -> Answer {
    match made(holders, request) {
        Ok(answer) => answer,
        Err((layer, kind, text)) => Answer::Refused(Refusal::Layer(layer, kind, text)),
    }
}

fn made(holders: &Holders, request: SealRequest) -> Result<Answer, Unmade> {
    let SealRequest { claims, times, tells, signature, encryption, unsecured } = request;
    let inner = match &signature {
        None => None,
        Some(layer) => Some(match &layer.key {
            KeyHeld::Ring(name) => ring::sign(&holders.rings, name, layer, (&claims, &times))?,
            KeyHeld::Given(_) | KeyHeld::Secret(..) | KeyHeld::Text(..) => {
                signed(&holders.signer, layer, claims.clone())?
            }
        }),
    };
    let token = match (&encryption, &inner) {
        (None, Some(inner)) => inner.token.clone(),
        (None, None) if unsecured => unsigned(&claims)?,
        (None, None) => return Err((SealLayer::Signature, FaultKind::KeyMissing, "no key is named".into())),
        (Some(layer), inner) => enclosed(&holders.signer, layer, &claims, inner.as_ref())?,
    };
    let known = tells.then(|| Box::new(known(&claims, inner.as_ref())));
    let warnings = inner.map(|inner| inner.warnings.into_iter().map(Into::into).collect()).unwrap_or_default();
    Ok(Answer::Sealed { token: token.into(), warnings, known })
}

/// A token that proves nothing, which the plan asks for by its own word.
fn unsigned(claims: &[u8]) -> Result<String, Unmade> {
    let mut token = Vec::new();
    jose::jws::write_unsigned(claims, Switches::NONE.with(Switch::Unsigned), &mut token)
        .map_err(|error| (SealLayer::Signature, FaultKind::ClaimsInvalid, error.to_string().into()))?;
    Ok(String::from_utf8(token).expect("a compact token is base64url and dots"))
}

fn known(claims: &[u8], inner: Option<&Inner>) -> Known {
    let claims = inner.map_or(claims, |inner| &inner.claims);
    Known {
        claims: String::from_utf8_lossy(claims).into(),
        signed: inner.map(|inner| inner.token.as_str().into()),
        key: inner.and_then(|inner| inner.public.as_deref()).map(Into::into),
    }
}

fn signed(signer: &Software, of: &plan::Layer, claims: Vec<u8>) -> Result<Inner, Unmade> {
    let unmade = |fault: signer::Fault| (SealLayer::Signature, kind(fault.kind), fault.text.into());
    let signed = with_layer(of, |layer| signer.sign(layer, &claims)).map_err(unmade)?;
    let signer::Signed { token, public, warnings } = signed;
    Ok(Inner { token, claims, public, warnings })
}

fn enclosed(signer: &Software, of: &plan::Layer, claims: &[u8], inner: Option<&Inner>) -> Result<String, Unmade> {
    let unmade = |kind, text| (SealLayer::Encryption, kind, text);
    if matches!(of.key, KeyHeld::Ring(_)) {
        return Err(unmade(FaultKind::KeyUnfit, "a ring signs, and does not encrypt".into()));
    }
    let octets = inner.map_or(claims, |inner| inner.token.as_bytes());
    with_layer(of, |layer| signer.enclose(layer, octets, inner.is_some()))
        .map_err(|fault| unmade(kind(fault.kind), fault.text.into()))
}

/// What is made with the layer as the signer knows it.
fn with_layer<T>(layer: &plan::Layer, make: impl FnOnce(&Layer<'_>) -> T) -> T {
    let kid = match &layer.kid {
        KidFrom::Nowhere => Kid::Nowhere,
        KidFrom::Key => Kid::Key,
        KidFrom::Made => Kid::Made,
        KidFrom::Text(text) => Kid::Text(text),
    };
    let header = match layer.header {
        HeaderForm::KidFirst => Form::KidFirst,
        HeaderForm::Typed => Form::Typed,
    };
    let (key_owner, also_owner) = (owner_of(&layer.key), layer.also.as_ref().and_then(owner_of));
    make(&Layer {
        key: brought(&layer.key, key_owner.as_deref()),
        also: layer.also.as_ref().map(|also| brought(also, also_owner.as_deref())),
        rsa_bits: layer.rsa_bits,
        algorithm: layer.algorithm.as_deref(),
        content: layer.content.as_deref(),
        kid,
        header,
        switches: layer.switches,
    })
}

/// The owner of the box that the key lies in, if it is a secret.
pub(super) fn owner_of(key: &KeyHeld) -> Option<String> {
    if let KeyHeld::Secret(secret, _) = key { Some(owner(secret)) } else { None }
}

/// The key as the signer knows it.
pub(super) fn brought<'k>(key: &'k KeyHeld, owner: Option<&'k str>) -> Brought<'k> {
    match key {
        KeyHeld::Given(name) | KeyHeld::Ring(name) => Brought::Given(name),
        KeyHeld::Secret(_, form) => Brought::Secret(owner.unwrap_or_default(), secret_text(*form)),
        KeyHeld::Text(text, KeyForm::Jwk) => Brought::Jwk(text),
        KeyHeld::Text(text, KeyForm::JwkOrPem) => Brought::JwkOrPem(text),
        KeyHeld::Text(text, KeyForm::Public) => Brought::Public(text),
        KeyHeld::Text(text, KeyForm::Octets) => Brought::Octets(text),
    }
}

fn secret_text(form: KeyForm) -> SecretText {
    match form {
        KeyForm::Jwk => SecretText::Jwk,
        KeyForm::JwkOrPem => SecretText::JwkOrPem,
        KeyForm::Public => SecretText::Public,
        KeyForm::Octets => SecretText::Octets,
    }
}
