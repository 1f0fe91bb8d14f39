//! Tokens whose keys the message brings along: made and opened by the signer, which alone looks into the keys.

use std::sync::Arc;

use plan::{Answer, KeyHeld, KidFrom, OpenRequest, Refusal, SealRequest, TokenFlaw};
use signer::{Brought, Kid, Layer, Software};

use super::{Begun, refused, sign};

/// Makes a token: at once, or on a thread of its own if that may take long.
pub fn seal(signer: &Arc<Software>, request: SealRequest) -> Begun {
    if !Software::seals_slowly(request.signature.as_ref().map(layer).as_ref()) {
        return Begun::Done(sealed(signer, &request));
    }
    let signer = Arc::clone(signer);
    sign::slowly(move || sealed(&signer, &request))
}

/// Opens a token. Every check is fast enough to be done at once.
pub fn open(signer: &Software, request: &OpenRequest) -> Answer {
    let decryption = request.decryption.as_ref().map(brought);
    let verification = request.verification.as_ref().map(brought);
    match signer.open(&request.token, decryption, verification) {
        Ok(payload) => Answer::Verified(payload.into()),
        Err(signer::Refusal::Token(error)) => {
            Answer::Refused(Refusal::Token(TokenFlaw::Signature, error.to_string().into()))
        }
        Err(signer::Refusal::Key(fault)) => refused(fault),
    }
}

fn sealed(signer: &Software, request: &SealRequest) -> Answer {
    let (signature, encryption) = (request.signature.as_ref().map(layer), request.encryption.as_ref().map(layer));
    match signer.seal(&request.claims, signature.as_ref(), encryption.as_ref()) {
        Ok(sealed) => Answer::Sealed {
            token: sealed.token.into(),
            warnings: sealed.warnings.into_iter().map(Into::into).collect(),
        },
        Err(fault) => refused(fault),
    }
}

fn layer(layer: &plan::Layer) -> Layer<'_> {
    let kid = match &layer.kid {
        KidFrom::Nowhere => Kid::Nowhere,
        KidFrom::Key => Kid::Key,
        KidFrom::Text(text) => Kid::Text(text),
    };
    let (algorithm, content) = (layer.algorithm.as_deref(), layer.content.as_deref());
    Layer { key: brought(&layer.key), algorithm, content, kid }
}

fn brought(key: &KeyHeld) -> Brought<'_> {
    match key {
        KeyHeld::Given(name) => Brought::Given(name),
        KeyHeld::Jwk(text) => Brought::Jwk(text),
    }
}
