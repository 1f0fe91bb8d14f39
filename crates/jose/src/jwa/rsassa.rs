//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 sections 3.3 and 3.5).

use aws_lc_rs::{
    rand::{SecureRandom, SystemRandom},
    rsa::{KeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{self, ParsedPublicKey, RsaEncoding, RsaParameters},
};

use super::Sha2;
use crate::{Error, der, jwk::RsaPublic, private::RsaSecret};

/// How a signature is padded and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Pkcs1(Sha2),
    Pss(Sha2),
}

pub(crate) struct RsaSigner {
    pair: KeyPair,
    encoding: &'static dyn RsaEncoding,
}

impl RsaSigner {
    pub(crate) fn new(padding: Padding, public: &RsaPublic, secret: &RsaSecret) -> Result<Self, Error> {
        Ok(Self { pair: key_pair(public, secret)?, encoding: encoding(padding) })
    }

    pub(crate) fn sign(&self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.resize(start + self.pair.public_modulus_len(), 0);
        self.pair.sign(self.encoding, backend_draws(), input, &mut out[start..]).map_err(|_| {
            out.truncate(start);
            Error::SelfCheck { why: "the backend made no RSA signature" }
        })
    }
}

pub(crate) fn verifier(padding: Padding, public: &RsaPublic) -> Result<ParsedPublicKey, Error> {
    let parameters = if public.bits() < crate::jwk::RSA_MODULUS_BITS_MIN {
        legacy_parameters(padding)
            .ok_or_else(|| Error::key_invalid("n", "has less than 2048 bits; such keys verify RS256 and RS512 only"))?
    } else {
        parameters(padding)
    };
    ParsedPublicKey::new(parameters, der::rsa_public_key(public))
        .map_err(|_| Error::key_invalid("n", "and `e` are no RSA public key"))
}

/// Parses and checks a private key: the factors, both CRT exponents, the coefficient and `d` belong together.
pub(crate) fn key_pair(public: &RsaPublic, secret: &RsaSecret) -> Result<KeyPair, Error> {
    KeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n: &public.n, e: &public.e },
        d: &secret.d,
        p: &secret.p,
        q: &secret.q,
        dP: &secret.dp,
        dQ: &secret.dq,
        qInv: &secret.qi,
    })
    .map_err(|_| Error::key_invalid("d", "and `p`, `q`, `dp`, `dq`, `qi` do not belong to `n` and `e`"))
}

/// The backend's signature calls take a source and do not use it: salts and blinding are drawn inside.
#[allow(clippy::disallowed_methods, reason = "the argument is required and ignored; nothing is drawn from it here")]
pub(crate) fn backend_draws() -> &'static dyn SecureRandom {
    static UNUSED: std::sync::LazyLock<SystemRandom> = std::sync::LazyLock::new(SystemRandom::new);
    &*UNUSED
}

fn encoding(padding: Padding) -> &'static dyn RsaEncoding {
    match padding {
        Padding::Pkcs1(Sha2::Sha256) => &signature::RSA_PKCS1_SHA256,
        Padding::Pkcs1(Sha2::Sha384) => &signature::RSA_PKCS1_SHA384,
        Padding::Pkcs1(Sha2::Sha512) => &signature::RSA_PKCS1_SHA512,
        Padding::Pss(Sha2::Sha256) => &signature::RSA_PSS_SHA256,
        Padding::Pss(Sha2::Sha384) => &signature::RSA_PSS_SHA384,
        Padding::Pss(Sha2::Sha512) => &signature::RSA_PSS_SHA512,
    }
}

fn parameters(padding: Padding) -> &'static RsaParameters {
    match padding {
        Padding::Pkcs1(Sha2::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        Padding::Pkcs1(Sha2::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        Padding::Pkcs1(Sha2::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        Padding::Pss(Sha2::Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
        Padding::Pss(Sha2::Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
        Padding::Pss(Sha2::Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
    }
}

fn legacy_parameters(padding: Padding) -> Option<&'static RsaParameters> {
    match padding {
        Padding::Pkcs1(Sha2::Sha256) => Some(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        Padding::Pkcs1(Sha2::Sha512) => Some(&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        Padding::Pkcs1(Sha2::Sha384) | Padding::Pss(_) => None,
    }
}
