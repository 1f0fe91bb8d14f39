//! Tokens of a ring: its clock gives `iat`, its ceiling bounds `exp`, and whichever key signs then signs.

use jose::jws::{HeaderMember, HeaderPlan};
use keyring::AskedExp;
use plan::{FaultKind, HeaderForm, KidFrom, Layer, SealLayer, Times};

use super::{Inner, Unmade};
use crate::rings::{RingRefusal, Rings};
use crate::vault::TENANT;

/// Signs these claims at the ring's own instant.
pub(super) fn sign(
    rings: &Rings,
    name: &str,
    layer: &Layer,
    (claims, times): (&[u8], &Times),
) -> Result<Inner, Unmade> {
    let unmade = |kind, text: String| (SealLayer::Signature, kind, text.into());
    let ring_id = id(name);
    check_algorithm(rings, name, layer.algorithm.as_deref())?;
    let header = header(layer).map_err(|error| unmade(FaultKind::KeyUnusable, error.to_string()))?;
    let mut signed = Vec::new();
    let token = rings.mint(&ring_id, &header, |moment| {
        let asked = moment.issued_at_secs.saturating_add(times.lifetime_secs);
        let asked = times.expires.as_ref().map_or(AskedExp::Nothing, |_| AskedExp::At(asked));
        let exp = moment.expiry(asked)?;
        signed = engine::retimed(claims, times, moment.issued_at_secs, exp);
        Ok(signed.clone())
    });
    let minted = token.map_err(|refusal| unmade(kind(&refusal), refusal.to_string()))?;
    let cut = minted.exp_cut.then(|| format!("`exp` is cut to what the ring {name} allows"));
    let public = public_key(rings, &ring_id, &minted.kid);
    Ok(Inner { token: minted.token, claims: signed, public, warnings: cut.into_iter().collect() })
}

/// All keys of a ring that verify now, as the text of a JWK Set.
///
/// # Errors
/// [`RingRefusal`].
pub(in crate::effects) fn public(rings: &Rings, name: &str) -> Result<String, RingRefusal> {
    rings.public_set(&id(name))
}

/// What a token says that a ring of shared secrets verifies, or its flaw; none for a ring that publishes its keys.
///
/// # Errors
/// [`RingRefusal`].
pub(in crate::effects) fn verified_by_secret(
    rings: &Rings,
    name: &str,
    token: &str,
) -> Result<Option<Result<Vec<u8>, jose::Error>>, RingRefusal> {
    let ring_id = id(name);
    if rings.is_shared(&ring_id)? { rings.verify_shared(&ring_id, token).map(Some) } else { Ok(None) }
}

/// The id of a ring that a flow names.
pub(super) fn id(name: &str) -> String {
    format!("{TENANT}/{name}")
}

/// What kind of fault of a key a ring's refusal is.
pub(in crate::effects) fn kind(refusal: &RingRefusal) -> FaultKind {
    match refusal {
        RingRefusal::NoRing(_) => FaultKind::KeyMissing,
        RingRefusal::Expiry(_) => FaultKind::ExpiryInvalid,
        RingRefusal::Claims(_) => FaultKind::ClaimsInvalid,
        RingRefusal::Stale
        | RingRefusal::NoSigner
        | RingRefusal::NotReady
        | RingRefusal::ClockSkew
        | RingRefusal::HorizonNotStored
        | RingRefusal::Key(_)
        | RingRefusal::Hsm(_) => FaultKind::KeyAway,
    }
}

/// A flow that names an algorithm gets no other.
///
/// # Errors
/// If the ring signs with another one, or cannot be asked.
pub(in crate::effects) fn check_algorithm(rings: &Rings, name: &str, asked: Option<&str>) -> Result<(), Unmade> {
    let Some(asked) = asked else { return Ok(()) };
    let snapshot =
        rings.snapshot().map_err(|refusal| (SealLayer::Signature, kind(&refusal), refusal.to_string().into()));
    match snapshot?.0.ring(&id(name)) {
        Some(ring) if ring.algorithm.name != asked => {
            let text = format!("the ring signs with {}, which does not match {asked}", ring.algorithm.name);
            Err((SealLayer::Signature, FaultKind::KeyUnfit, text.into()))
        }
        Some(_) | None => Ok(()),
    }
}

/// The members in the order of the layer's form: a token of a ring always names its key.
fn header(layer: &Layer) -> Result<HeaderPlan, jose::Error> {
    let kid = match &layer.kid {
        KidFrom::Text(text) => HeaderMember::KidNamed(text.to_string()),
        KidFrom::Nowhere | KidFrom::Key | KidFrom::Made => HeaderMember::Kid,
    };
    HeaderPlan::new(match layer.header {
        HeaderForm::KidFirst => vec![kid, HeaderMember::Alg],
        HeaderForm::Typed => vec![HeaderMember::Alg, HeaderMember::Typ("JWT".to_owned()), kid],
    })
}

fn public_key(rings: &Rings, ring_id: &str, kid: &str) -> Option<String> {
    let (snapshot, _) = rings.snapshot().ok()?;
    let rows = &snapshot.ring(ring_id)?.rows.generations;
    rows.iter().find(|row| row.kid == kid)?.public_jwk.clone()
}
