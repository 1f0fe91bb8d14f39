//! The keys of rings: drawn or brought in here and sealed for their place, or made in a PKCS#11 token; opened once and
//! held ready to sign.

use std::sync::Arc;

use jose::jwa::{KeyShape, SignatureAlgorithm, SignatureFamily, Switch, Switches};
use jose::jwk::{KeyParameters, PublicJwk};
use jose::jws::{HeaderPlan, Keys, ProtectedHeader, Verifier};
use jose::{KeyKind, PrivateJwk, RsaBits, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::pkcs11::{Hsm, HsmFault, HsmKey};
use crate::{Error, FaultKind, Keeper, Label, RandomPool, SealedBox, Secret, hex};

/// What each opened half signs before it is used.
const SELF_TEST: &[u8] = b"chancery self-test";
/// Whether a secret may be weak is decided when it is brought in; what lies in a ring is used.
const OF_RINGS: Switches = Switches::NONE.with(Switch::WeakHmac);

/// A key for a new generation: its private half, and what of it is public.
pub struct RingKey {
    half: Half,
    kid: String,
    thumbprint: String,
}

/// Where a private half is.
enum Half {
    Here(PrivateJwk),
    InToken { id: String, public: PublicJwk },
}

/// The place in a ring that a private half is sealed for; it opens in no other.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The owner of the box.
    pub owner: &'a str,
    /// The ring.
    pub ring: &'a str,
    /// The ring's algorithm.
    pub alg: &'a str,
    /// The number of the generation.
    pub n: u32,
    /// Its `kid`.
    pub kid: &'a str,
    /// The kind of signer that keeps it.
    pub signer: &'a str,
}

/// A private half that was tried: in memory, parsed and wiped when it is dropped, or in its token.
pub struct OpenKey(Ready);

enum Ready {
    Here(SigningKey),
    /// A shared secret, which verifies as well.
    Shared(SigningKey, VerifyingKey),
    InToken(HsmKey),
}

/// Why a key of a ring did not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// The key, or what it was given.
    #[error(transparent)]
    Key(#[from] Fault),
    /// The token that keeps it.
    #[error(transparent)]
    Hsm(#[from] HsmFault),
}

impl RingKey {
    /// Draws a key for an algorithm; `rsa_bits` counts for RSA alone. Its `kid` is the prefix and the thumbprint, for a
    /// shared secret 128 random bits.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::KeyRefused`] for an algorithm that this signer makes no keys for.
    pub fn generate(
        keeper: &Keeper,
        algorithm: &'static SignatureAlgorithm,
        rsa_bits: RsaBits,
        kid_prefix: &str,
    ) -> Result<Self, Error> {
        let kind = match KeyKind::for_signature(algorithm) {
            KeyKind::Rsa(_) => KeyKind::Rsa(rsa_bits),
            kind @ (KeyKind::Oct(_) | KeyKind::Ec(_) | KeyKind::Okp(_) | KeyKind::Akp(_)) => kind,
        };
        let private = PrivateJwk::generate(kind, &mut RandomPool::new()).map_err(Error::refused)?;
        Self::new(keeper, algorithm, private, kid_prefix)
    }

    /// Takes a key that was brought in. It keeps its own `kid`; without one it gets one as a drawn key does. With the key
    /// come the switches without which it would have been refused.
    ///
    /// # Errors
    /// [`Error::KeyRefused`] if it does not fit the algorithm, is too weak, or its halves do not belong together.
    pub fn import(
        keeper: &Keeper,
        algorithm: &'static SignatureAlgorithm,
        private: PrivateJwk,
        kid_prefix: &str,
        switches: Switches,
    ) -> Result<(Self, Switches), Error> {
        let acted = SigningKey::new(algorithm, &private, switches).map_err(Error::refused)?.acted();
        Ok((Self::new(keeper, algorithm, private, kid_prefix)?, acted))
    }

    /// Makes a key in a token, which it never leaves. Its `kid` is the prefix and the thumbprint.
    ///
    /// # Errors
    /// [`Error::Hsm`].
    pub fn generate_in(
        hsm: &Hsm,
        algorithm: &'static SignatureAlgorithm,
        rsa_bits: RsaBits,
        kid_prefix: &str,
        label: &str,
    ) -> Result<Self, Error> {
        let made = hsm.generate(algorithm, rsa_bits, label)?;
        let thumbprint = made.public.thumbprint();
        let kid = format!("{kid_prefix}{thumbprint}");
        let public = PublicJwk { parameters: parameters(algorithm, &kid), ..made.public };
        Ok(Self { half: Half::InToken { id: made.id, public }, kid, thumbprint })
    }

    /// The `CKA_ID` that a token keeps it under; none for a key that was made here.
    pub fn signer_ref(&self) -> Option<&str> {
        match &self.half {
            Half::Here(_) => None,
            Half::InToken { id, .. } => Some(id),
        }
    }

    /// Its `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its RFC 7638 thumbprint; for a shared secret its digest under the install salt.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The public half as canonical JWK text; none for a shared secret.
    pub fn public_jwk(&self) -> Option<String> {
        match &self.half {
            Half::Here(private) => private.public().map(|public| public.to_json()),
            Half::InToken { public, .. } => Some(public.to_json()),
        }
    }

    /// Seals the private half for its place; none for one that lies in a token.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, keeper: &Keeper, place: &Place<'_>) -> Result<Option<SealedBox>, Error> {
        match &self.half {
            Half::Here(private) => keeper.seal(&place.label(), &private_jwk(private)).map(Some),
            Half::InToken { .. } => Ok(None),
        }
    }

    fn new(
        keeper: &Keeper,
        algorithm: &'static SignatureAlgorithm,
        mut private: PrivateJwk,
        kid_prefix: &str,
    ) -> Result<Self, Error> {
        let own_kid = private.parameters().kid.clone();
        let thumbprint = match private.public() {
            Some(public) => public.thumbprint(),
            // Without its members: the same secret under another kid is the same key.
            None => {
                private = private.with_parameters(KeyParameters::default());
                hex::encode(&keeper.digest(&private_jwk(&private)))
            }
        };
        let kid = match (own_kid, private.public()) {
            (Some(kid), _) => kid,
            (None, Some(_)) => format!("{kid_prefix}{thumbprint}"),
            (None, None) => format!("{kid_prefix}{}", random_kid()?),
        };
        let private = private.with_parameters(parameters(algorithm, &kid));
        Ok(Self { half: Half::Here(private), kid, thumbprint })
    }
}

impl OpenKey {
    /// Opens the private half that lies in its place, and has it sign for its own public half.
    ///
    /// # Errors
    /// [`Error::Unopenable`], [`Error::UnknownKek`], and [`Error::KeyRefused`] for a key that is not the row's: such a
    /// key is set aside alone.
    pub fn open(
        keeper: &Keeper,
        place: &Place<'_>,
        algorithm: &'static SignatureAlgorithm,
        sealed: &SealedBox,
        public: Option<&PublicJwk>,
    ) -> Result<Self, Error> {
        let private = unseal(keeper, place, sealed)?;
        if private.public().as_ref().map(PublicJwk::thumbprint) != public.map(PublicJwk::thumbprint) {
            return Err(Error::KeyRefused { why: "it is not the private half of its row's public one".to_owned() });
        }
        let key = SigningKey::new(algorithm, &private, OF_RINGS).map_err(Error::refused)?;
        let check = VerifyingKey::from_private(algorithm, &private, OF_RINGS).map_err(Error::refused)?;
        let mut signature = Vec::new();
        key.sign(SELF_TEST, &mut signature).map_err(Error::refused)?;
        check.verify(SELF_TEST, &signature).map_err(Error::refused)?;
        Ok(Self(if public.is_some() { Ready::Here(key) } else { Ready::Shared(key, check) }))
    }

    /// Verifies a token with the shared secret that its `kid` names among these, or with any of them if it names none; gives
    /// the octets that were signed. A key whose public half is shown verifies nothing here.
    ///
    /// # Errors
    /// The token's fault.
    pub fn verify_shared(secrets: &[Arc<Self>], token: &str) -> Result<Vec<u8>, jose::Error> {
        let named = jose::peek(token)?.text("kid");
        let fits = |key: &&Arc<Self>| named.as_ref().is_none_or(|kid| kid.shown() == key.kid());
        let mut refusal = jose::Error::NoKey { why: "no secret of the ring has its `kid`".into() };
        for key in secrets.iter().filter(fits) {
            let Ready::Shared(_, check) = &key.0 else { continue };
            match Verifier::new(&[check.algorithm()])?.verify(token, Keys::One(check)) {
                Ok(verified) => return Ok(verified.payload),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Takes the private half that a token keeps under this `CKA_ID`, and has it sign for its own public half.
    ///
    /// # Errors
    /// [`Error::Hsm`], and [`Error::KeyRefused`] for a key that is not the row's.
    pub fn in_token(
        hsm: &Arc<Hsm>,
        id: &str,
        algorithm: &'static SignatureAlgorithm,
        public: &PublicJwk,
    ) -> Result<Self, Error> {
        let key = HsmKey::new(Arc::clone(hsm), id, algorithm, public)?;
        key.sign(SELF_TEST)?;
        Ok(Self(Ready::InToken(key)))
    }

    /// Its `kid`.
    pub fn kid(&self) -> &str {
        match &self.0 {
            Ready::Here(key) | Ready::Shared(key, _) => key.kid(),
            Ready::InToken(key) => key.kid(),
        }
        .unwrap_or_default()
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> &'static SignatureAlgorithm {
        match &self.0 {
            Ready::Here(key) | Ready::Shared(key, _) => key.algorithm(),
            Ready::InToken(key) => key.algorithm(),
        }
    }

    /// Whether each signature takes so long that it belongs on a thread of its own.
    pub fn is_slow(&self) -> bool {
        self.is_in_token() || is_slow(self.algorithm())
    }

    /// Whether a token keeps it: whoever asks it waits, and computes nothing.
    pub fn is_in_token(&self) -> bool {
        matches!(self.0, Ready::InToken(_))
    }

    /// The header of this key's tokens, to be used for many.
    ///
    /// # Errors
    /// [`Fault`] for a header that is too long.
    pub fn header(&self, plan: &HeaderPlan) -> Result<ProtectedHeader, Fault> {
        let (kid, public) = match &self.0 {
            Ready::Here(key) | Ready::Shared(key, _) => (key.kid(), key.public()),
            Ready::InToken(key) => (key.kid(), Some(key.public())),
        };
        ProtectedHeader::encode(plan, self.algorithm(), kid, public).map_err(|error| Fault::in_key(&error))
    }

    /// Signs these claims, octet for octet, into a compact token.
    ///
    /// # Errors
    /// [`Unsigned`] if the token would be too long, the library fails or the token that keeps the key does.
    pub fn mint(&self, header: &ProtectedHeader, claims: &[u8]) -> Result<String, Unsigned> {
        let token = match &self.0 {
            Ready::Here(key) | Ready::Shared(key, _) => {
                let mut token = Vec::new();
                key.sign_compact(header, claims, &mut token).map_err(|error| Fault::in_signing(&error))?;
                token
            }
            Ready::InToken(key) => key.mint(header, claims)?,
        };
        let odd = |_| Fault { kind: FaultKind::Failed, text: "a compact token is base64url and dots".to_owned() };
        Ok(String::from_utf8(token).map_err(odd)?)
    }
}

/// The private half as a JWK, for an operator who takes it out.
///
/// # Errors
/// As [`OpenKey::open`].
pub fn export(keeper: &Keeper, place: &Place<'_>, sealed: &SealedBox) -> Result<Secret, Error> {
    unseal(keeper, place, sealed).map(|private| private_jwk(&private))
}

/// Whether a signature of this algorithm takes a tenth of a millisecond or more.
pub(crate) fn is_slow(algorithm: &SignatureAlgorithm) -> bool {
    match algorithm.family {
        SignatureFamily::Hmac(_) | SignatureFamily::EdDsa(_) => false,
        SignatureFamily::Ecdsa(_) => algorithm.key != KeyShape::Ec(jose::jwa::EcCurve::P256),
        SignatureFamily::RsaPkcs1(_) | SignatureFamily::RsaPss(_) | SignatureFamily::MlDsa(_) => true,
    }
}

impl<'a> Place<'a> {
    fn label(&self) -> Label<'a> {
        let Self { owner, ring, alg, n, kid, signer } = *self;
        Label { owner, ring, alg, n: n.into(), kid, signer }
    }
}

fn unseal(keeper: &Keeper, place: &Place<'_>, sealed: &SealedBox) -> Result<PrivateJwk, Error> {
    let secret = keeper.unseal(&place.label(), sealed)?;
    match jose::jwk::Jwk::parse(secret.expose()).map_err(Error::refused)? {
        jose::jwk::Jwk::Private(private) => Ok(private),
        jose::jwk::Jwk::Public(_) => Err(Error::KeyRefused { why: "the box holds a public key".to_owned() }),
    }
}

fn private_jwk(private: &PrivateJwk) -> Secret {
    let mut octets = Zeroizing::new(Vec::new());
    private.write_private(&mut octets);
    Secret::from(octets)
}

fn parameters(algorithm: &SignatureAlgorithm, kid: &str) -> KeyParameters {
    KeyParameters {
        kid: Some(kid.to_owned()),
        alg: Some(algorithm.name.to_owned()),
        use_: Some("sig".to_owned()),
        ..KeyParameters::default()
    }
}

fn random_kid() -> Result<String, Error> {
    let mut octets = [0; 16];
    jose::Random::fill(&mut RandomPool::new(), &mut octets)?;
    Ok(jose::base64url::encode(&octets))
}
