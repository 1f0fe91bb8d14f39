//! Tokens that are opened with keys which the message brings along or a ring holds: decrypted, verified, or first the one
//! and then the other.

use jose::Error;
use plan::{Answer, Decryption, KeyHeld, Known, OpenRequest, Refusal, SealLayer, TokenFlaw, Verification};

use super::kind;
use super::seal::{Holders, Unmade, brought, owner_of, ring};
use crate::limits::TOKEN_CHARS_MAX;

/// Opens a token. Every check is fast enough to be done at once.
pub fn open(holders: &Holders, request: &OpenRequest) -> Answer {
    match opened(holders, request) {
        Ok(known) => Answer::Opened(Box::new(known)),
        Err(refusal) => Answer::Refused(refusal),
    }
}

fn opened(holders: &Holders, request: &OpenRequest) -> Result<Known, Refusal> {
    let token = &*request.token;
    if token.len() > TOKEN_CHARS_MAX {
        return Err(nesting(TokenFlaw::Malformed, "the token is longer than 65536 characters"));
    }
    let is_encrypted = token.split('.').count() == 5;
    let Some(decryption) = &request.decryption else {
        if is_encrypted {
            return Err(nesting(TokenFlaw::Nesting, "the token is encrypted, and no key to decrypt it is named"));
        }
        return verified(holders, token, request.verification.as_ref());
    };
    if !is_encrypted {
        return Err(nesting(TokenFlaw::Nesting, "the token is not encrypted"));
    }
    let plaintext = decrypted(holders, token, decryption)?;
    let inner =
        std::str::from_utf8(&plaintext).map_err(|_| nesting(TokenFlaw::Nesting, "what is encrypted is no text"))?;
    if request.verification.is_some() {
        return verified(holders, inner.trim(), request.verification.as_ref());
    }
    if inner.split('.').count() == 3 && !inner.trim_start().starts_with('{') {
        let why = "a signed token is encrypted, and no key to verify it is named";
        return Err(nesting(TokenFlaw::Nesting, why));
    }
    Ok(Known { claims: inner.into(), signed: None, key: None })
}

fn decrypted(
    holders: &Holders,
    token: &str,
    by: &Decryption<KeyHeld>,
) -> Result<impl std::ops::Deref<Target = Vec<u8>> + use<>, Refusal> {
    let owners = [owner_of(&by.key), by.also.as_ref().and_then(owner_of)];
    let by = signer::Decryption {
        key: brought(&by.key, owners[0].as_deref()),
        also: by.also.as_ref().map(|also| brought(also, owners[1].as_deref())),
        algorithms: by.algorithms,
        switches: by.switches,
    };
    holders.signer.decrypt(token, &by).map_err(|refusal| refused(SealLayer::Encryption, refusal))
}

fn verified(holders: &Holders, token: &str, by: Option<&Verification<KeyHeld>>) -> Result<Known, Refusal> {
    let refused = |refusal| refused(SealLayer::Signature, refusal);
    let by =
        by.ok_or_else(|| nesting(TokenFlaw::Nesting, "the token is only signed, and no key to verify it is named"))?;
    let of_ring = match &by.key {
        KeyHeld::Ring(name) => {
            let asked = by.algorithm.map(|row| row.name);
            ring::check_algorithm(&holders.rings, name, asked).map_err(unopened)?;
            let away = |refusal| unopened((SealLayer::Signature, ring::kind(&refusal), refusal.to_string().into()));
            if let Some(payload) = ring::verified_by_secret(&holders.rings, name, token).map_err(away)? {
                let payload = payload.map_err(|error| refused(signer::Refusal::Token(error)))?;
                return known(payload, token, None);
            }
            Some(ring::public(&holders.rings, name).map_err(away)?)
        }
        KeyHeld::Given(_) | KeyHeld::Secret(..) | KeyHeld::Text(..) => None,
    };
    let owners = [owner_of(&by.key), by.also.as_ref().and_then(owner_of)];
    let key = of_ring.as_deref().map_or_else(|| brought(&by.key, owners[0].as_deref()), signer::Brought::Jwk);
    let also = by.also.as_ref().map(|also| brought(also, owners[1].as_deref()));
    let by = signer::Verification { key, also, algorithm: by.algorithm, switches: by.switches };
    let signer::Verified { payload, public } = holders.signer.verify(token, &by).map_err(refused)?;
    known(payload, token, public)
}

fn known(payload: Vec<u8>, token: &str, public: Option<String>) -> Result<Known, Refusal> {
    let claims = String::from_utf8(payload).map_err(|_| nesting(TokenFlaw::Undecodable, "the claims are no text"))?;
    Ok(Known { claims: claims.into(), signed: Some(token.into()), key: public.map(Into::into) })
}

fn unopened((layer, kind, text): Unmade) -> Refusal {
    Refusal::Layer(layer, kind, text)
}

fn nesting(flaw: TokenFlaw, why: &str) -> Refusal {
    Refusal::Token(flaw, why.into())
}

fn refused(layer: SealLayer, refusal: signer::Refusal) -> Refusal {
    match refusal {
        signer::Refusal::Token(error) => Refusal::Token(flaw(&error), error.to_string().into()),
        signer::Refusal::Key(fault) => Refusal::Layer(layer, kind(fault.kind), fault.text.into()),
    }
}

/// Which flaw of the token it is that an error tells of.
fn flaw(error: &Error) -> TokenFlaw {
    match error {
        Error::BadSignature | Error::NoKey { .. } => TokenFlaw::Signature,
        Error::CannotDecrypt => TokenFlaw::Undecryptable,
        Error::NotAllowed { .. } | Error::Unsupported { .. } => TokenFlaw::Algorithm,
        Error::Nesting { .. } => TokenFlaw::Nesting,
        Error::TooLarge { .. }
        | Error::Malformed { .. }
        | Error::Header { .. }
        | Error::Critical { .. }
        | Error::KeyInvalid { .. }
        | Error::KeyUnfit { .. }
        | Error::ClaimMissing { .. }
        | Error::ClaimType { .. }
        | Error::Expired { .. }
        | Error::NotYet { .. }
        | Error::Issuer
        | Error::Audience
        | Error::WrongType { .. }
        | Error::Random
        | Error::SelfCheck { .. } => TokenFlaw::Malformed,
    }
}
