//! Keys in DER: PKCS#8 plain and encrypted, PKCS#1, SEC1, SPKI, PKCS#12 and the public key of a certificate.

mod encrypted;
mod pbes2;
mod pkcs12;
mod private;
mod public;

pub(crate) use public::{spki_octets, spki_sequence};

use zeroize::Zeroizing;

use crate::{
    Error,
    der::{Der, DerError, oid, tag},
    jwa::{EcCurve, KeyShape, MlDsaSet, OkpCurve},
    jwk::{Jwk, KEY_IMPORT_BYTES_MAX, PublicJwk},
    private::PrivateJwk,
    x509,
};

/// A form of a key in DER, and the label of its PEM block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// `PrivateKeyInfo` (RFC 5208, RFC 5958), every asymmetric kind.
    Pkcs8,
    /// `RSAPrivateKey` or `RSAPublicKey` (RFC 8017).
    Pkcs1,
    /// `ECPrivateKey` (RFC 5915).
    Sec1,
    /// `SubjectPublicKeyInfo` (RFC 5280), every public kind.
    Spki,
}

/// A private key in DER, zeroed when dropped.
pub type PrivateDer = Zeroizing<Vec<u8>>;

impl Jwk {
    /// Reads a key in DER of any form: PKCS#8, PKCS#1, SEC1, SPKI, or a certificate's public key.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`KEY_IMPORT_BYTES_MAX`], [`Error::KeyInvalid`], [`Error::Unsupported`].
    pub fn from_der(octets: &[u8]) -> Result<Self, Error> {
        if octets.len() > KEY_IMPORT_BYTES_MAX {
            return Err(Error::TooLarge { what: "the key", max: KEY_IMPORT_BYTES_MAX, unit: "octets" });
        }
        let forms = [private::pkcs8, private::pkcs1, private::sec1, public::spki, public::pkcs1, x509::public_key];
        for form in forms {
            match form(octets) {
                Err(Refusal::OtherForm) => {}
                Err(Refusal::Error(error)) => return Err(error),
                Ok(jwk) => return Ok(jwk),
            }
        }
        Err(Error::key_invalid("DER", "is no PKCS#8, PKCS#1, SEC1 or SPKI key and no certificate"))
    }
}

impl PrivateJwk {
    /// The key in a private form.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] if the form has no place for this kind of key.
    pub fn to_der(&self, form: KeyForm) -> Result<PrivateDer, Error> {
        private::write(self, form)
    }
}

impl PublicJwk {
    /// The key in a public form.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] if the form has no place for this kind of key.
    pub fn to_der(&self, form: KeyForm) -> Result<Vec<u8>, Error> {
        public::write(&self.key, form)
    }
}

/// Why a reader of one form gave up.
pub(crate) enum Refusal {
    /// The octets have another form; the next reader may know it.
    OtherForm,
    /// The octets have this form, and the key in it is refused.
    Error(Error),
}

impl From<DerError> for Refusal {
    fn from(_: DerError) -> Self {
        Self::OtherForm
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Reads an `AlgorithmIdentifier` of a key.
fn algorithm(mut identifier: Der<'_>) -> Result<KeyShape, Refusal> {
    let algorithm = identifier.value(tag::OID)?;
    if algorithm == oid::RSA {
        identifier.optional(tag::NULL)?;
        identifier.end()?;
        return Ok(KeyShape::Rsa);
    }
    if algorithm == oid::EC {
        let name = identifier.value(tag::OID).map_err(|_| unsupported("an EC key without a named curve"))?;
        identifier.end()?;
        let curve = EcCurve::ALL.into_iter().find(|curve| oid::curve(*curve) == name);
        return curve.map(KeyShape::Ec).ok_or_else(|| unsupported("the curve of this key"));
    }
    let okp = OkpCurve::ALL.into_iter().find(|curve| oid::okp(*curve) == algorithm).map(KeyShape::Okp);
    let akp = || MlDsaSet::ALL.into_iter().find(|set| oid::ml_dsa(*set) == algorithm).map(KeyShape::Akp);
    okp.or_else(akp).ok_or_else(|| unsupported("the algorithm of this key"))
}

fn unsupported(what: &'static str) -> Refusal {
    Refusal::Error(Error::unsupported(
        what,
        "known are RSA, P-256, P-384, P-521, secp256k1, Ed25519, X25519 and ML-DSA",
    ))
}

/// Writes an `AlgorithmIdentifier` of a key.
fn write_algorithm(shape: KeyShape) -> Zeroizing<Vec<u8>> {
    use crate::der::{sequence, tlv};
    let object = |octets| tlv(tag::OID, &[octets]);
    match shape {
        KeyShape::Rsa => sequence(&[&object(oid::RSA), &tlv(tag::NULL, &[])]),
        KeyShape::Ec(curve) => sequence(&[&object(oid::EC), &object(oid::curve(curve))]),
        KeyShape::Okp(curve) => sequence(&[&object(oid::okp(curve))]),
        KeyShape::Akp(set) => sequence(&[&object(oid::ml_dsa(set))]),
        KeyShape::OctAtLeast(_)
        | KeyShape::OctExact(_)
        | KeyShape::OctCek
        | KeyShape::Agreement
        | KeyShape::Password => unreachable!("no asymmetric key has this shape"),
    }
}

fn no_place(form: KeyForm) -> Error {
    let form = match form {
        KeyForm::Pkcs8 => "PKCS#8",
        KeyForm::Pkcs1 => "PKCS#1",
        KeyForm::Sec1 => "SEC1",
        KeyForm::Spki => "SPKI",
    };
    Error::key_unfit(format!("{form} has no place for this kind of key"))
}
