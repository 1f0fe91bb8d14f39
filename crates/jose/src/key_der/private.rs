//! Private forms: `PrivateKeyInfo`, `RSAPrivateKey`, `ECPrivateKey`.

use zeroize::Zeroizing;

use super::{KeyForm, PrivateDer, Refusal, algorithm, no_place, write_algorithm};
use crate::{
    Error,
    der::{self, Der, integer, sec1_private_key, sequence, tag, tlv},
    jwa::{EcCurve, KeyShape},
    jwk::{EcPublic, Jwk, KeyParameters, PublicKey, RsaPublic},
    private::{PrivateJwk, RsaSecret, SecretKey},
};

/// `PrivateKeyInfo`, version 1 or 2; attributes are passed over, a public key in it must belong to the private one.
pub(super) fn pkcs8(octets: &[u8]) -> Result<Jwk, Refusal> {
    let mut info = der::whole(octets)?;
    let version = info.unsigned()?;
    let shape = algorithm(info.sequence()?)?;
    let key = info.value(tag::OCTET_STRING)?;
    info.optional(tag::explicit(0))?;
    let public = info.optional(tag::implicit(1))?;
    info.end()?;
    if !matches!(version, [] | [1]) {
        return Err(invalid("has another version than 0 or 1"));
    }
    inner(shape, key, public.and_then(|bits| bits.strip_prefix(&[0])))
}

/// `RSAPrivateKey` of two primes.
pub(super) fn pkcs1(octets: &[u8]) -> Result<Jwk, Refusal> {
    let mut sequence = der::whole(octets)?;
    let version = sequence.unsigned()?;
    let n = sequence.unsigned()?.to_vec();
    let e = sequence.unsigned()?.to_vec();
    let mut next = || sequence.unsigned().map(|octets| Zeroizing::new(octets.to_vec()));
    let secret = RsaSecret { d: next()?, p: next()?, q: next()?, dp: next()?, dq: next()?, qi: next()? };
    if !version.is_empty() || !sequence.is_empty() {
        return Err(invalid("holds a key of more than two primes"));
    }
    finish(PublicKey::Rsa(RsaPublic::new(n, e)?), SecretKey::Rsa(secret))
}

/// `ECPrivateKey` that names its curve.
pub(super) fn sec1(octets: &[u8]) -> Result<Jwk, Refusal> {
    ec(octets, None)
}

fn inner(shape: KeyShape, key: &[u8], public: Option<&[u8]>) -> Result<Jwk, Refusal> {
    match shape {
        KeyShape::Rsa => pkcs1(key),
        KeyShape::Ec(curve) => ec(key, Some(curve)),
        KeyShape::Okp(_) => {
            let mut outer = Der::new(key);
            let d = outer.value(tag::OCTET_STRING)?;
            outer.end()?;
            raw(shape, SecretKey::Okp(Zeroizing::new(d.to_vec())), public)
        }
        KeyShape::Akp(_) => raw(shape, SecretKey::Akp(Zeroizing::new(ml_dsa_seed(key)?.to_vec())), public),
        KeyShape::OctAtLeast(_)
        | KeyShape::OctExact(_)
        | KeyShape::OctCek
        | KeyShape::Agreement
        | KeyShape::Password => unreachable!("no algorithm identifier gives this shape"),
    }
}

/// RFC 9881 section 6: the seed alone, or seed and expanded key. The expanded key alone has no JWK (RFC 9964).
fn ml_dsa_seed(key: &[u8]) -> Result<&[u8], Refusal> {
    let mut choice = Der::new(key);
    if let Some(seed) = choice.optional(tag::implicit(0))? {
        choice.end()?;
        return Ok(seed);
    }
    let Some(both) = choice.optional(tag::SEQUENCE)? else {
        return Err(invalid("holds an expanded ML-DSA key without its seed"));
    };
    choice.end()?;
    Ok(Der::new(both).value(tag::OCTET_STRING)?)
}

fn ec(octets: &[u8], known: Option<EcCurve>) -> Result<Jwk, Refusal> {
    let mut sequence = der::whole(octets)?;
    let version = sequence.unsigned()?;
    let d = Zeroizing::new(sequence.value(tag::OCTET_STRING)?.to_vec());
    let named = sequence.optional(tag::explicit(0))?.map(named_curve).transpose()?;
    let public = sequence.optional(tag::explicit(1))?.map(|bits| Der::new(bits).bits()).transpose()?;
    sequence.end()?;
    if version != [1] || named.is_some_and(|named| known.is_some_and(|known| known != named)) {
        return Err(invalid("has another version or curve than it should"));
    }
    let curve = known.or(named).ok_or_else(|| invalid("names no curve"))?;
    let point = public.map(|point| EcPublic::from_point(curve, point).ok_or_else(|| invalid("holds no plain point")));
    let secret = SecretKey::Ec(d);
    let public = match point.transpose()? {
        Some(point) => PublicKey::Ec(point),
        None => secret.public_of(KeyShape::Ec(curve))?,
    };
    finish(public, secret)
}

fn named_curve(content: &[u8]) -> Result<EcCurve, Refusal> {
    let name = Der::new(content).value(tag::OID)?;
    let curve = EcCurve::ALL.into_iter().find(|curve| der::oid::curve(*curve) == name);
    curve.ok_or_else(|| Refusal::Error(Error::unsupported("the curve of this key", "it is none of JOSE's")))
}

fn raw(shape: KeyShape, secret: SecretKey, stated: Option<&[u8]>) -> Result<Jwk, Refusal> {
    let public = secret.public_of(shape)?;
    let octets = match &public {
        PublicKey::Okp(okp) => Some(&okp.x),
        PublicKey::Akp { public, .. } => Some(public),
        PublicKey::Rsa(_) | PublicKey::Ec(_) => None,
    };
    if stated.is_some_and(|stated| octets.is_some_and(|own| stated != &**own)) {
        return Err(invalid("holds a public key that does not belong to the private one"));
    }
    finish(public, secret)
}

fn finish(public: PublicKey, secret: SecretKey) -> Result<Jwk, Refusal> {
    Ok(Jwk::Private(PrivateJwk::new(secret, Some(public), KeyParameters::default())?))
}

pub(super) fn write(key: &PrivateJwk, form: KeyForm) -> Result<PrivateDer, Error> {
    let inner = match (key.secret(), key.public_key()) {
        (SecretKey::Rsa(secret), Some(PublicKey::Rsa(public))) => rsa_private_key(public, secret),
        (SecretKey::Ec(d), Some(PublicKey::Ec(public))) => sec1_private_key(public.curve(), d, Some(&public.point())),
        (SecretKey::Okp(d), Some(_)) => tlv(tag::OCTET_STRING, &[d]),
        (SecretKey::Akp(seed), Some(_)) => tlv(tag::implicit(0), &[seed]),
        _ => return Err(no_place(form)),
    };
    match (form, key.shape()) {
        (KeyForm::Pkcs8, shape) => {
            Ok(sequence(&[&integer(&[]), &write_algorithm(shape), &tlv(tag::OCTET_STRING, &[&inner])]))
        }
        (KeyForm::Pkcs1, KeyShape::Rsa) | (KeyForm::Sec1, KeyShape::Ec(_)) => Ok(inner),
        (KeyForm::Pkcs1 | KeyForm::Sec1 | KeyForm::Spki, _) => Err(no_place(form)),
    }
}

fn rsa_private_key(public: &RsaPublic, secret: &RsaSecret) -> PrivateDer {
    let private = secret.members().map(|(_, octets)| integer(octets));
    let mut parts = vec![integer(&[]), integer(&public.n), integer(&public.e)];
    parts.extend(private);
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
    sequence(&parts)
}

fn invalid(why: &'static str) -> Refusal {
    Refusal::Error(Error::key_invalid("DER", why))
}
