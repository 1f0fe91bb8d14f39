//! Refuses as an HMAC secret what is really another key: the way by which a public key becomes a secret.

use crate::{
    Error,
    json::{Limits, Value},
    jwa::EcCurve,
    jwk::{EcPublic, Jwk},
    pem::looks_like_pem,
};

/// Refuses octets that parse as PEM, DER, a point of a curve, a JWK of another kind, or a JWK Set.
pub(super) fn check(secret: &[u8]) -> Result<(), Error> {
    let trimmed = secret.trim_ascii();
    let found = if looks_like_pem(secret) {
        "PEM"
    } else if Jwk::from_der(secret).is_ok() || Jwk::from_der(trimmed).is_ok() {
        "a key or certificate in DER"
    } else if is_point(secret) {
        "a point of an elliptic curve"
    } else if is_foreign_jwk(secret) {
        "a JWK of another kind, or a JWK Set"
    } else {
        return Ok(());
    };
    Err(Error::key_unfit(format!("this secret is {found}; a key of that kind never becomes an HMAC secret")))
}

fn is_point(secret: &[u8]) -> bool {
    EcCurve::ALL.into_iter().any(|curve| {
        let point = EcPublic::from_point(curve, secret);
        point.is_some_and(|point| EcPublic::new(curve, point.x.into(), point.y.into()).is_ok())
    })
}

/// A JSON object with `kty` other than `oct`, or with `keys`, at the first brace of the text.
fn is_foreign_jwk(secret: &[u8]) -> bool {
    let Some(start) = memchr::memchr(b'{', secret) else {
        return false;
    };
    let end = memchr::memrchr(b'}', secret).map_or(secret.len(), |at| at + 1);
    let Some(text) = secret.get(start..end) else {
        return false;
    };
    let tree = Value::parse(text, Limits::REQUEST).map(zeroize::Zeroizing::new);
    tree.is_ok_and(|tree| {
        tree.as_object().is_some_and(|object| {
            let kty = object.get("kty").and_then(Value::as_text);
            kty.is_some_and(|kty| kty != "oct") || object.get("keys").is_some()
        })
    })
}
