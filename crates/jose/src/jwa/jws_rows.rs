//! The rows of JWS.

use super::{
    EcCurve, Grade, KeyShape, MlDsaSet, OkpCurve, Sha2, SignatureAlgorithm, SignatureFamily, SignatureLength, Switch,
};

const CURVE448: &str = "no released library computes it yet; the key can be kept and published";

pub(super) const ROWS: &[SignatureAlgorithm] = &[
    hmac("HS256", Sha2::Sha256),
    hmac("HS384", Sha2::Sha384),
    hmac("HS512", Sha2::Sha512),
    rsa("RS256", SignatureFamily::RsaPkcs1(Sha2::Sha256)),
    rsa("RS384", SignatureFamily::RsaPkcs1(Sha2::Sha384)),
    rsa("RS512", SignatureFamily::RsaPkcs1(Sha2::Sha512)),
    rsa("PS256", SignatureFamily::RsaPss(Sha2::Sha256)),
    rsa("PS384", SignatureFamily::RsaPss(Sha2::Sha384)),
    rsa("PS512", SignatureFamily::RsaPss(Sha2::Sha512)),
    ecdsa("ES256", EcCurve::P256, Grade::Offered, "RFC 7518"),
    ecdsa("ES384", EcCurve::P384, Grade::Offered, "RFC 7518"),
    ecdsa("ES512", EcCurve::P521, Grade::Offered, "RFC 7518"),
    ecdsa("ES256K", EcCurve::Secp256k1, Grade::OptIn(Switch::Es256k), "RFC 8812"),
    eddsa("EdDSA", OkpCurve::Ed25519, Grade::Offered, "RFC 8037"),
    eddsa("Ed25519", OkpCurve::Ed25519, Grade::Offered, "RFC 9864"),
    eddsa("Ed448", OkpCurve::Ed448, Grade::Gap(CURVE448), "RFC 9864"),
    ml_dsa(MlDsaSet::MlDsa44),
    ml_dsa(MlDsaSet::MlDsa65),
    ml_dsa(MlDsaSet::MlDsa87),
];

const fn hmac(name: &'static str, hash: Sha2) -> SignatureAlgorithm {
    SignatureAlgorithm {
        name,
        family: SignatureFamily::Hmac(hash),
        key: KeyShape::OctAtLeast(hash.octets()),
        signature: SignatureLength::Octets(hash.octets()),
        grade: Grade::Offered,
        reference: "RFC 7518",
    }
}

const fn rsa(name: &'static str, family: SignatureFamily) -> SignatureAlgorithm {
    SignatureAlgorithm {
        name,
        family,
        key: KeyShape::Rsa,
        signature: SignatureLength::Modulus,
        grade: Grade::Offered,
        reference: "RFC 7518",
    }
}

const fn ecdsa(name: &'static str, curve: EcCurve, grade: Grade, reference: &'static str) -> SignatureAlgorithm {
    SignatureAlgorithm {
        name,
        family: SignatureFamily::Ecdsa(curve),
        key: KeyShape::Ec(curve),
        signature: SignatureLength::Octets(2 * curve.octets()),
        grade,
        reference,
    }
}

const fn eddsa(name: &'static str, curve: OkpCurve, grade: Grade, reference: &'static str) -> SignatureAlgorithm {
    SignatureAlgorithm {
        name,
        family: SignatureFamily::EdDsa(curve),
        key: KeyShape::Okp(curve),
        signature: SignatureLength::Octets(2 * curve.octets()),
        grade,
        reference,
    }
}

const fn ml_dsa(set: MlDsaSet) -> SignatureAlgorithm {
    SignatureAlgorithm {
        name: set.name(),
        family: SignatureFamily::MlDsa(set),
        key: KeyShape::Akp(set),
        signature: SignatureLength::Octets(set.signature_octets()),
        grade: Grade::OptIn(Switch::MlDsa),
        reference: "RFC 9964",
    }
}
