//! Our algorithms as PKCS#11 says them: mechanisms, templates of new pairs, and public halves read back.

use aws_lc_rs::digest;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType};
use cryptoki::types::Ulong;
use jose::RsaBits;
use jose::jwa::{EcCurve, OkpCurve, Sha2, SignatureAlgorithm, SignatureFamily};
use jose::jwk::{EcPublic, OkpPublic, PublicJwk, PublicKey, RsaPublic};

use super::HsmFault;
use crate::hex;

/// What a public half is read from.
pub(super) const PUBLIC_ATTRIBUTES: &[AttributeType] =
    &[AttributeType::Modulus, AttributeType::PublicExponent, AttributeType::EcPoint];
/// 65 537.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// The object identifiers of the curves in DER (RFC 5480 section 2.1.1.1).
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
/// The curve's name as a PrintableString, which is how PKCS#11 names it (version 3.0, section 2.3.10).
const EDWARDS25519: &[u8] = b"\x13\x0cedwards25519";
/// The tag of an OCTET STRING.
const OCTET_STRING: u8 = 0x04;

/// What a pair is made with.
pub(super) struct Pair {
    pub(super) mechanism: Mechanism<'static>,
    pub(super) public: Vec<Attribute>,
    pub(super) private: Vec<Attribute>,
}

/// The mechanism of a signature, and what it is given: ECDSA takes the digest.
pub(super) fn signing(algorithm: &SignatureAlgorithm, input: &[u8]) -> Result<(Mechanism<'static>, Vec<u8>), HsmFault> {
    let mechanism = match algorithm.family {
        SignatureFamily::RsaPkcs1(Sha2::Sha256) => Mechanism::Sha256RsaPkcs,
        SignatureFamily::RsaPkcs1(Sha2::Sha384) => Mechanism::Sha384RsaPkcs,
        SignatureFamily::RsaPkcs1(Sha2::Sha512) => Mechanism::Sha512RsaPkcs,
        SignatureFamily::RsaPss(Sha2::Sha256) => {
            Mechanism::Sha256RsaPkcsPss(pss(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32))
        }
        SignatureFamily::RsaPss(Sha2::Sha384) => {
            Mechanism::Sha384RsaPkcsPss(pss(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48))
        }
        SignatureFamily::RsaPss(Sha2::Sha512) => {
            Mechanism::Sha512RsaPkcsPss(pss(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64))
        }
        SignatureFamily::Ecdsa(curve) => {
            let (_, hash) = curve_of(algorithm, curve)?;
            return Ok((Mechanism::Ecdsa, digest::digest(hash, input).as_ref().to_vec()));
        }
        SignatureFamily::EdDsa(OkpCurve::Ed25519) => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        SignatureFamily::Hmac(_) | SignatureFamily::EdDsa(_) | SignatureFamily::MlDsa(_) => {
            return Err(unknown(algorithm));
        }
    };
    Ok((mechanism, input.to_vec()))
}

/// How a pair of this kind is made: its private half stays where it is.
pub(super) fn pair(
    algorithm: &SignatureAlgorithm,
    rsa_bits: RsaBits,
    id: &[u8],
    label: &str,
) -> Result<Pair, HsmFault> {
    let (mechanism, kind) = match algorithm.family {
        SignatureFamily::RsaPkcs1(_) | SignatureFamily::RsaPss(_) => {
            let bits = Attribute::ModulusBits(Ulong::new(bits_of(rsa_bits)));
            (Mechanism::RsaPkcsKeyPairGen, vec![bits, Attribute::PublicExponent(EXPONENT.to_vec())])
        }
        SignatureFamily::Ecdsa(curve) => {
            let (oid, _) = curve_of(algorithm, curve)?;
            (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(oid.to_vec())])
        }
        SignatureFamily::EdDsa(OkpCurve::Ed25519) => {
            (Mechanism::EccEdwardsKeyPairGen, vec![Attribute::EcParams(EDWARDS25519.to_vec())])
        }
        SignatureFamily::Hmac(_) | SignatureFamily::EdDsa(_) | SignatureFamily::MlDsa(_) => {
            return Err(unknown(algorithm));
        }
    };
    let both = [Attribute::Token(true), Attribute::Id(id.to_vec()), Attribute::Label(label.as_bytes().to_vec())];
    let mut public = both.to_vec();
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    public.extend(kind);
    let mut private = both.to_vec();
    private.extend([Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(false)]);
    private.push(Attribute::Sign(true));
    Ok(Pair { mechanism, public, private })
}

/// The public half out of its attributes.
pub(super) fn public_jwk(algorithm: &SignatureAlgorithm, attributes: &[Attribute]) -> Result<PublicJwk, HsmFault> {
    let octets =
        |pick: fn(&Attribute) -> Option<&Vec<u8>>| attributes.iter().find_map(pick).map_or(&[][..], Vec::as_slice);
    let modulus = octets(|it| if let Attribute::Modulus(octets) = it { Some(octets) } else { None });
    let exponent = octets(|it| if let Attribute::PublicExponent(octets) = it { Some(octets) } else { None });
    let point = unwrapped(octets(|it| if let Attribute::EcPoint(octets) = it { Some(octets) } else { None }));
    let key = match algorithm.family {
        SignatureFamily::RsaPkcs1(_) | SignatureFamily::RsaPss(_) => {
            RsaPublic::new(without_zeroes(modulus), without_zeroes(exponent)).map(PublicKey::Rsa)
        }
        SignatureFamily::Ecdsa(curve) => {
            let coordinates = point.strip_prefix(&[4]).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            EcPublic::new(curve, x.to_vec(), y.to_vec()).map(PublicKey::Ec)
        }
        SignatureFamily::EdDsa(curve) => OkpPublic::new(curve, point.to_vec()).map(PublicKey::Okp),
        SignatureFamily::Hmac(_) | SignatureFamily::MlDsa(_) => return Err(unknown(algorithm)),
    };
    let why = |error: jose::Error| HsmFault::Refused(format!("it made a public half that is none: {error}"));
    key.map(PublicJwk::new).map_err(why)
}

/// The `CKA_ID` in hexadecimal digits, and the label.
pub(super) fn id_and_label(attributes: &[Attribute]) -> (String, String) {
    let octets =
        |pick: fn(&Attribute) -> Option<&Vec<u8>>| attributes.iter().find_map(pick).map_or(&[][..], Vec::as_slice);
    let id = octets(|it| if let Attribute::Id(octets) = it { Some(octets) } else { None });
    let label = octets(|it| if let Attribute::Label(octets) = it { Some(octets) } else { None });
    (hex::encode(id), String::from_utf8_lossy(label).into_owned())
}

fn bits_of(rsa_bits: RsaBits) -> u64 {
    match rsa_bits {
        RsaBits::Bits2048 => 2_048,
        RsaBits::Bits3072 => 3_072,
        RsaBits::Bits4096 => 4_096,
        RsaBits::Bits8192 => 8_192,
    }
}

fn pss(hash_alg: MechanismType, mgf: PkcsMgfType, salt_octets: u64) -> PkcsPssParams {
    PkcsPssParams { hash_alg, mgf, s_len: Ulong::new(salt_octets) }
}

fn curve_of(
    algorithm: &SignatureAlgorithm,
    curve: EcCurve,
) -> Result<(&'static [u8], &'static digest::Algorithm), HsmFault> {
    match curve {
        EcCurve::P256 => Ok((P256, &digest::SHA256)),
        EcCurve::P384 => Ok((P384, &digest::SHA384)),
        EcCurve::P521 => Ok((P521, &digest::SHA512)),
        EcCurve::Secp256k1 => Err(unknown(algorithm)),
    }
}

fn unknown(algorithm: &SignatureAlgorithm) -> HsmFault {
    HsmFault::Refused(format!("keys for {} are not kept in tokens", algorithm.name))
}

/// `CKA_EC_POINT` is an OCTET STRING in DER with the point inside; some modules give the point alone.
fn unwrapped(octets: &[u8]) -> &[u8] {
    match octets {
        [OCTET_STRING, length, point @ ..] if usize::from(*length) == point.len() => point,
        // 128 octets and more have a length of their own: the points of P-521.
        [OCTET_STRING, 0x81, length, point @ ..] if usize::from(*length) == point.len() => point,
        point => point,
    }
}

fn without_zeroes(octets: &[u8]) -> Vec<u8> {
    octets.iter().skip_while(|octet| **octet == 0).copied().collect()
}
