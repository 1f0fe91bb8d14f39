//! Keys that sign and keys that verify, each bound to one algorithm.

use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey, PqdsaKeyPair};

use super::{PrivateJwk, SecretKey, suspicious};
use crate::{
    Error,
    jwa::{
        KeyShape, OkpCurve, SignatureAlgorithm, SignatureFamily, SignatureLength, Switch, Switches, ecdsa, eddsa,
        hmac::{HmacContext, HmacKey},
        ml_dsa,
        rsassa::{self, Padding, RsaSigner},
    },
    jwk::{PublicJwk, PublicKey, RSA_MODULUS_BITS_MIN},
};

/// A key that signs with one algorithm. Parsed once, used from any thread, never shown.
pub struct SigningKey {
    algorithm: &'static SignatureAlgorithm,
    signer: Signer,
    kid: Option<String>,
    public: Option<PublicJwk>,
    acted: Switches,
    signature_octets: usize,
}

enum Signer {
    Hmac(Box<HmacKey>),
    Rsa(RsaSigner),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
}

/// A key that verifies one algorithm. Public, or an HMAC secret; parsed once, used from any thread.
pub struct VerifyingKey {
    algorithm: &'static SignatureAlgorithm,
    checker: Checker,
    public: Option<PublicKey>,
    kid: Option<String>,
    acted: Switches,
    signature_octets: usize,
}

enum Checker {
    Hmac(Box<HmacKey>),
    Public(ParsedPublicKey),
}

impl SigningKey {
    /// Binds a key to an algorithm.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] if the algorithm waits for a switch, [`Error::KeyUnfit`] if kind, curve, `alg`, `use`
    /// or `key_ops` contradict, [`Error::KeyInvalid`] if the key is too small.
    pub fn new(algorithm: &'static SignatureAlgorithm, jwk: &PrivateJwk, switches: Switches) -> Result<Self, Error> {
        algorithm.permit(switches)?;
        check_shape(algorithm, jwk.shape())?;
        jwk.parameters().permit(&names_of(algorithm), "sig", &["sign"])?;
        let (signer, weak) = Signer::new(algorithm, jwk, switches)?;
        let public = jwk.public();
        Ok(Self {
            algorithm,
            signer,
            kid: jwk.parameters().kid.clone(),
            signature_octets: signature_octets(algorithm, public.as_ref().map(|public| &public.key)),
            public,
            acted: acted(algorithm, weak),
        })
    }

    /// The algorithm this key signs with.
    #[must_use]
    pub fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }

    /// The `kid`, if the key came with one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The public half; `None` for HMAC.
    #[must_use]
    pub fn public(&self) -> Option<&PublicJwk> {
        self.public.as_ref()
    }

    /// The switches without which this key would have been refused; each deserves a warning.
    #[must_use]
    pub fn acted(&self) -> Switches {
        self.acted
    }

    /// Octets of each signature.
    #[must_use]
    pub fn signature_octets(&self) -> usize {
        self.signature_octets
    }

    /// Appends the signature of `input` to `out`.
    ///
    /// # Errors
    /// [`Error::SelfCheck`] if the backend fails or gives another length; `out` is then as before.
    pub fn sign(&self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        match &self.signer {
            Signer::Hmac(key) => out.extend_from_slice(key.mac(input).as_ref()),
            Signer::Rsa(key) => key.sign(input, out)?,
            Signer::Ecdsa(key) => ecdsa::sign(key, input, out)?,
            Signer::Ed25519(key) => eddsa::sign(key, input, out)?,
            Signer::MlDsa(key) => ml_dsa::sign(key, input, out)?,
        }
        if out.len() - start == self.signature_octets {
            return Ok(());
        }
        out.truncate(start);
        Err(Error::SelfCheck { why: "the signature has another length than its algorithm" })
    }

    /// For HMAC, a MAC that may be fed piece by piece; `None` for every other algorithm.
    pub(crate) fn hmac_context(&self) -> Option<HmacContext> {
        match &self.signer {
            Signer::Hmac(key) => Some(key.context()),
            Signer::Rsa(_) | Signer::Ecdsa(_) | Signer::Ed25519(_) | Signer::MlDsa(_) => None,
        }
    }
}

impl Signer {
    fn new(
        algorithm: &'static SignatureAlgorithm,
        jwk: &PrivateJwk,
        switches: Switches,
    ) -> Result<(Self, Switches), Error> {
        let rsa = |padding| match (jwk.secret(), jwk.public_key()) {
            (SecretKey::Rsa(secret), Some(PublicKey::Rsa(public))) => {
                RsaSigner::new(padding, public, secret).map(Self::Rsa)
            }
            _ => Err(no_fit(algorithm)),
        };
        let signer = match (algorithm.family, jwk.secret(), jwk.public_key()) {
            (SignatureFamily::Hmac(hash), SecretKey::Oct(secret), _) => {
                let weak = check_hmac_secret(algorithm, secret, switches)?;
                return Ok((Self::Hmac(Box::new(HmacKey::new(hash, secret))), weak));
            }
            (SignatureFamily::RsaPkcs1(hash), ..) => rsa(Padding::Pkcs1(hash))?,
            (SignatureFamily::RsaPss(hash), ..) => rsa(Padding::Pss(hash))?,
            (SignatureFamily::Ecdsa(_), SecretKey::Ec(d), Some(PublicKey::Ec(public))) => {
                Self::Ecdsa(ecdsa::signer(public, d)?)
            }
            (SignatureFamily::EdDsa(OkpCurve::Ed25519), SecretKey::Okp(d), Some(PublicKey::Okp(public))) => {
                Self::Ed25519(eddsa::signer(&public.x, d)?)
            }
            (SignatureFamily::MlDsa(set), SecretKey::Akp(seed), Some(PublicKey::Akp { public, .. })) => {
                Self::MlDsa(ml_dsa::signer(set, public, seed)?)
            }
            _ => return Err(no_fit(algorithm)),
        };
        Ok((signer, Switches::NONE))
    }
}

impl VerifyingKey {
    /// Binds a public key to an algorithm.
    ///
    /// # Errors
    /// As [`SigningKey::new`]; an HMAC algorithm is always [`Error::KeyUnfit`] here.
    pub fn new(algorithm: &'static SignatureAlgorithm, jwk: &PublicJwk, switches: Switches) -> Result<Self, Error> {
        algorithm.permit(switches)?;
        check_shape(algorithm, jwk.key.shape())?;
        jwk.parameters.permit(&names_of(algorithm), "sig", &["verify"])?;
        let (checker, weak) = Checker::new(algorithm, &jwk.key, switches)?;
        Ok(Self {
            algorithm,
            checker,
            public: Some(jwk.key.clone()),
            kid: jwk.parameters.kid.clone(),
            acted: acted(algorithm, weak),
            signature_octets: signature_octets(algorithm, Some(&jwk.key)),
        })
    }

    /// Binds a private key's public half, or an HMAC secret, to an algorithm.
    ///
    /// # Errors
    /// As [`SigningKey::new`].
    pub fn from_private(
        algorithm: &'static SignatureAlgorithm,
        jwk: &PrivateJwk,
        switches: Switches,
    ) -> Result<Self, Error> {
        if let Some(mut public) = jwk.public() {
            // `key_ops` of a private key say `sign`; its public half may verify what it signed.
            if public.parameters.key_ops.as_ref().is_some_and(|ops| ops.iter().any(|op| op == "sign")) {
                public.parameters.key_ops = None;
            }
            return Self::new(algorithm, &public, switches);
        }
        algorithm.permit(switches)?;
        let (SignatureFamily::Hmac(hash), SecretKey::Oct(secret)) = (algorithm.family, jwk.secret()) else {
            return Err(no_fit(algorithm));
        };
        jwk.parameters().permit(&names_of(algorithm), "sig", &["verify"])?;
        let weak = check_hmac_secret(algorithm, secret, switches)?;
        Ok(Self {
            algorithm,
            checker: Checker::Hmac(Box::new(HmacKey::new(hash, secret))),
            public: None,
            kid: jwk.parameters().kid.clone(),
            acted: acted(algorithm, weak),
            signature_octets: hash.octets(),
        })
    }

    /// The algorithm this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }

    /// The `kid`, if the key came with one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The switches without which this key would have been refused; each deserves a warning.
    #[must_use]
    pub fn acted(&self) -> Switches {
        self.acted
    }

    pub(crate) fn public(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    /// Whether this key may check signatures under that name: `EdDSA` and `Ed25519` are two names of one algorithm.
    #[must_use]
    pub fn serves(&self, algorithm: &SignatureAlgorithm) -> bool {
        self.algorithm.family == algorithm.family
    }

    /// Checks the signature of `input`.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), Error> {
        let good = signature.len() == self.signature_octets
            && match &self.checker {
                Checker::Hmac(key) => key.verify(input, signature),
                Checker::Public(key) => key.verify_sig(input, signature).is_ok(),
            };
        if good { Ok(()) } else { Err(Error::BadSignature) }
    }
}

impl Checker {
    fn new(
        algorithm: &'static SignatureAlgorithm,
        key: &PublicKey,
        switches: Switches,
    ) -> Result<(Self, Switches), Error> {
        let rsa = |padding| match key {
            PublicKey::Rsa(public) if public.bits() >= RSA_MODULUS_BITS_MIN => {
                Ok((rsassa::verifier(padding, public)?, Switches::NONE))
            }
            PublicKey::Rsa(public) if switches.has(Switch::Rsa1024) => {
                Ok((rsassa::verifier(padding, public)?, Switches::NONE.with(Switch::Rsa1024)))
            }
            PublicKey::Rsa(public) => Err(public.wrong_size()),
            PublicKey::Ec(_) | PublicKey::Okp(_) | PublicKey::Akp { .. } => Err(no_fit(algorithm)),
        };
        let (parsed, weak) = match (algorithm.family, key) {
            (SignatureFamily::RsaPkcs1(hash), _) => rsa(Padding::Pkcs1(hash))?,
            (SignatureFamily::RsaPss(hash), _) => rsa(Padding::Pss(hash))?,
            (SignatureFamily::Ecdsa(_), PublicKey::Ec(public)) => (ecdsa::verifier(public)?, Switches::NONE),
            (SignatureFamily::EdDsa(OkpCurve::Ed25519), PublicKey::Okp(public)) => {
                (eddsa::verifier(&public.x)?, Switches::NONE)
            }
            (SignatureFamily::MlDsa(set), PublicKey::Akp { public, .. }) => {
                (ml_dsa::verifier(set, public)?, Switches::NONE)
            }
            _ => return Err(no_fit(algorithm)),
        };
        Ok((Self::Public(parsed), weak))
    }
}

/// Kind, curve and size come before `alg`, `use` and `key_ops`.
fn check_shape(algorithm: &SignatureAlgorithm, found: KeyShape) -> Result<(), Error> {
    if algorithm.key.takes(found) { Ok(()) } else { Err(no_fit(algorithm)) }
}

/// Refuses a short secret unless the switch is on, and tells whether it had to act.
fn check_hmac_secret(algorithm: &SignatureAlgorithm, secret: &[u8], switches: Switches) -> Result<Switches, Error> {
    suspicious::check(secret)?;
    let KeyShape::OctAtLeast(octets) = algorithm.key else {
        return Err(no_fit(algorithm));
    };
    if secret.len() >= octets {
        return Ok(Switches::NONE);
    }
    if switches.has(Switch::WeakHmac) {
        return Ok(Switches::NONE.with(Switch::WeakHmac));
    }
    let (found, switch) = (secret.len(), Switch::WeakHmac);
    Err(Error::key_invalid(
        "k",
        format!("has {found} octets; {algorithm} asks for {octets} or more, or for `{switch}`"),
    ))
}

fn no_fit(algorithm: &SignatureAlgorithm) -> Error {
    Error::key_unfit(format!("{algorithm} takes {}", algorithm.key))
}

/// Every name of what this algorithm computes, its own first.
fn names_of(algorithm: &SignatureAlgorithm) -> Vec<&'static str> {
    let others = SignatureAlgorithm::ALL.iter().filter(|row| row.family == algorithm.family && *row != algorithm);
    std::iter::once(algorithm.name).chain(others.map(|row| row.name)).collect()
}

fn acted(algorithm: &SignatureAlgorithm, weak: Switches) -> Switches {
    match algorithm.grade {
        crate::jwa::Grade::OptIn(switch) => weak.with(switch),
        crate::jwa::Grade::Offered | crate::jwa::Grade::Gap(_) => weak,
    }
}

fn signature_octets(algorithm: &SignatureAlgorithm, key: Option<&PublicKey>) -> usize {
    match (algorithm.signature, key) {
        (SignatureLength::Octets(octets), _) => octets,
        (SignatureLength::Modulus, Some(PublicKey::Rsa(public))) => public.modulus_octets(),
        (SignatureLength::Modulus, _) => 0,
    }
}
