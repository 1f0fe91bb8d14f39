//! Public forms: `SubjectPublicKeyInfo` and `RSAPublicKey`.

use super::{KeyForm, Refusal, algorithm, no_place, write_algorithm};
use crate::{
    Error,
    der::{self, Der, rsa_public_key, sequence, tag, tlv},
    jwa::KeyShape,
    jwk::{EcPublic, Jwk, OkpPublic, PublicJwk, PublicKey, RsaPublic},
};

/// `SubjectPublicKeyInfo`.
pub(super) fn spki(octets: &[u8]) -> Result<Jwk, Refusal> {
    spki_sequence(der::whole(octets)?)
}

/// `RSAPublicKey`.
pub(super) fn pkcs1(octets: &[u8]) -> Result<Jwk, Refusal> {
    let mut sequence = der::whole(octets)?;
    let (n, e) = (sequence.unsigned()?.to_vec(), sequence.unsigned()?.to_vec());
    sequence.end()?;
    Ok(public(PublicKey::Rsa(RsaPublic::new(n, e)?)))
}

/// The content of a `SubjectPublicKeyInfo`, as a certificate holds it too.
pub(crate) fn spki_sequence(mut info: Der<'_>) -> Result<Jwk, Refusal> {
    let identifier = info.sequence()?;
    let bits = info.bits()?;
    info.end()?;
    let key = match algorithm(identifier)? {
        KeyShape::Rsa => return pkcs1(bits),
        KeyShape::Ec(curve) => {
            let point = EcPublic::from_point(curve, bits)
                .ok_or_else(|| Error::unsupported("a compressed point", "convert the key to the uncompressed form"))?;
            PublicKey::Ec(EcPublic::new(curve, point.x.into(), point.y.into())?)
        }
        KeyShape::Okp(curve) => PublicKey::Okp(OkpPublic::new(curve, bits.to_vec())?),
        KeyShape::Akp(set) => PublicKey::akp(set, bits.to_vec())?,
        KeyShape::OctAtLeast(_)
        | KeyShape::OctExact(_)
        | KeyShape::OctCek
        | KeyShape::Agreement
        | KeyShape::Password => unreachable!("no algorithm identifier gives this shape"),
    };
    Ok(public(key))
}

/// The key as `SubjectPublicKeyInfo`.
pub(crate) fn spki_octets(key: &PublicKey) -> Vec<u8> {
    let rsa;
    let point;
    let octets: &[u8] = match key {
        PublicKey::Rsa(public) => {
            rsa = rsa_public_key(public);
            &rsa
        }
        PublicKey::Ec(public) => {
            point = public.point();
            &point
        }
        PublicKey::Okp(public) => &public.x,
        PublicKey::Akp { public, .. } => public,
    };
    sequence(&[&write_algorithm(key.shape()), &tlv(tag::BIT_STRING, &[&[0], octets])]).to_vec()
}

pub(super) fn write(key: &PublicKey, form: KeyForm) -> Result<Vec<u8>, Error> {
    match (form, key) {
        (KeyForm::Spki, _) => Ok(spki_octets(key)),
        (KeyForm::Pkcs1, PublicKey::Rsa(public)) => Ok(rsa_public_key(public).to_vec()),
        (KeyForm::Pkcs1 | KeyForm::Pkcs8 | KeyForm::Sec1, _) => Err(no_place(form)),
    }
}

fn public(key: PublicKey) -> Jwk {
    Jwk::Public(PublicJwk::new(key))
}
