//! Writes DER: every container of secrets is zeroed when it is dropped.

use zeroize::Zeroizing;

use super::{oid, tag};
use crate::{jwa::EcCurve, jwk::RsaPublic};

type Octets = Zeroizing<Vec<u8>>;

/// One value: tag, length, the parts one after another.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Octets {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    write_length(&mut out, length);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    Zeroizing::new(out)
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Octets {
    tlv(tag::SEQUENCE, parts)
}

/// A number that is not negative, from big endian octets.
pub(crate) fn integer(octets: &[u8]) -> Octets {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let digits = &octets[zeros..];
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    tlv(tag::INTEGER, &[sign, digits])
}

/// `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(crate) fn rsa_public_key(public: &RsaPublic) -> Octets {
    sequence(&[&integer(&public.n), &integer(&public.e)])
}

/// `ECPrivateKey` (RFC 5915), the curve named, with the public point if it is known.
pub(crate) fn sec1_private_key(curve: EcCurve, d: &[u8], point: Option<&[u8]>) -> Octets {
    let public = point.map(|point| tlv(tag::explicit(1), &[&tlv(tag::BIT_STRING, &[&[0], point])]));
    sequence(&[
        &integer(&[1]),
        &tlv(tag::OCTET_STRING, &[d]),
        &tlv(tag::explicit(0), &[&tlv(tag::OID, &[oid::curve(curve)])]),
        public.as_ref().map_or(&[], |public| public.as_slice()),
    ])
}

fn write_length(out: &mut Vec<u8>, length: usize) {
    let octets = length.to_be_bytes();
    let digits = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
    match digits {
        [] => out.push(0),
        [short @ 0..0x80] => out.push(*short),
        _ => {
            let count = u8::try_from(digits.len()).expect("a usize has at most 8 octets");
            out.push(0x80 | count);
            out.extend_from_slice(digits);
        }
    }
}
