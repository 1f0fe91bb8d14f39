//! The keys of rings: drawn or brought in here, sealed for their place, opened once and held ready to sign.

use jose::jwa::{KeyShape, SignatureAlgorithm, SignatureFamily, Switches};
use jose::jwk::{KeyParameters, PublicJwk};
use jose::jws::{HeaderPlan, ProtectedHeader};
use jose::{KeyKind, PrivateJwk, RsaBits, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::{Error, FaultKind, Keeper, Label, RandomPool, SealedBox, Secret, hex};

/// What each opened half signs before it is used.
const SELF_TEST: &[u8] = b"chancery self-test";

/// A key for a new generation: its private half, and what of it is public.
pub struct RingKey {
    private: PrivateJwk,
    kid: String,
    thumbprint: String,
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

/// A private half in memory, parsed and tried, and wiped when it is dropped.
pub struct OpenKey(SigningKey);

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

    /// Takes a key that was brought in. It keeps its own `kid`; without one it gets one as a drawn key does.
    ///
    /// # Errors
    /// [`Error::KeyRefused`] if it does not fit the algorithm, is too weak, or its halves do not belong together.
    pub fn import(
        keeper: &Keeper,
        algorithm: &'static SignatureAlgorithm,
        private: PrivateJwk,
        kid_prefix: &str,
    ) -> Result<Self, Error> {
        SigningKey::new(algorithm, &private, Switches::NONE).map_err(Error::refused)?;
        Self::new(keeper, algorithm, private, kid_prefix)
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
        self.private.public().map(|public| public.to_json())
    }

    /// Seals the private half for its place.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, keeper: &Keeper, place: &Place<'_>) -> Result<SealedBox, Error> {
        keeper.seal(&place.label(), &private_jwk(&self.private))
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
        let parameters = KeyParameters {
            kid: Some(kid.clone()),
            alg: Some(algorithm.name.to_owned()),
            use_: Some("sig".to_owned()),
            ..KeyParameters::default()
        };
        Ok(Self { private: private.with_parameters(parameters), kid, thumbprint })
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
        let key = SigningKey::new(algorithm, &private, Switches::NONE).map_err(Error::refused)?;
        let check = VerifyingKey::from_private(algorithm, &private, Switches::NONE).map_err(Error::refused)?;
        let mut signature = Vec::new();
        key.sign(SELF_TEST, &mut signature).map_err(Error::refused)?;
        check.verify(SELF_TEST, &signature).map_err(Error::refused)?;
        Ok(Self(key))
    }

    /// Its `kid`.
    pub fn kid(&self) -> &str {
        self.0.kid().unwrap_or_default()
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }

    /// Whether each signature takes so long that it belongs on a thread of its own.
    pub fn is_slow(&self) -> bool {
        is_slow(self.0.algorithm())
    }

    /// The header of this key's tokens, to be used for many.
    ///
    /// # Errors
    /// [`Fault`] for a header that is too long.
    pub fn header(&self, plan: &HeaderPlan) -> Result<ProtectedHeader, Fault> {
        ProtectedHeader::encode(plan, self.0.algorithm(), self.0.kid(), self.0.public())
            .map_err(|error| Fault::in_key(&error))
    }

    /// Signs these claims, octet for octet, into a compact token.
    ///
    /// # Errors
    /// [`Fault`] if the token would be too long or the library fails.
    pub fn mint(&self, header: &ProtectedHeader, claims: &[u8]) -> Result<String, Fault> {
        let mut token = Vec::new();
        self.0.sign_compact(header, claims, &mut token).map_err(|error| Fault::in_signing(&error))?;
        String::from_utf8(token)
            .map_err(|_| Fault { kind: FaultKind::Failed, text: "a compact token is base64url and dots".to_owned() })
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

fn random_kid() -> Result<String, Error> {
    let mut octets = [0; 16];
    jose::Random::fill(&mut RandomPool::new(), &mut octets)?;
    Ok(jose::base64url::encode(&octets))
}
