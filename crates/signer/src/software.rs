//! The software signer: keys in this process, found by name, used through [`Minter`] and [`TokenVerifier`].
//!
//! Both are made once, at deploy, and keep the parsed key. A secret that is set, replaced or deleted later counts from
//! the next message on, because each use first asks whether any secret changed.
//!
//! **Slow calls.** An HMAC, ES256 or EdDSA signature and any check of one take microseconds. RSA, ES384, ES512 and
//! ML-DSA signatures take a tenth of a millisecond up to several; [`Minter::is_slow`] tells, and such calls belong on
//! threads of their own. The first use after a secret changed parses the key again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jose::jwa::{SignatureAlgorithm, SignatureFamily, Switches};
use jose::jwk::Jwk;
use jose::jws::{HeaderPlan, ProtectedHeader, Verifier};
use jose::{PrivateJwk, SecretForm, SigningKey, VerifyingKey};

use crate::brought::Kept;
use crate::cached::Cached;
use crate::fault::{Fault, FaultKind, Refusal};
use crate::secrets::{Environment, Secrets};
use crate::{Keeper, SealedBox, Secret};

/// The keys and document secrets of this process.
pub struct Software {
    secrets: Arc<Secrets>,
    keys: RwLock<HashMap<String, Arc<Jwk>>>,
    kept: Kept,
}

/// Which key signs or verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// A document's secret, by the owner of its box: an HMAC secret as it stands, or a PEM, DER or JWK key.
    Secret(String),
    /// A key that was handed to [`Software::give_key`] under this name.
    Given(String),
    /// A variable of the environment that documents may see; it holds what a document's secret may hold.
    Variable(String),
}

/// Signs the tokens of one token plan.
pub struct Minter {
    source: Source,
    algorithm: &'static SignatureAlgorithm,
    header: HeaderPlan,
    switches: Switches,
    ready: Cached<Signing>,
    warned: AtomicBool,
}

/// Checks the signatures of tokens against one key.
pub struct TokenVerifier {
    source: Source,
    algorithms: Vec<&'static SignatureAlgorithm>,
    switches: Switches,
    ready: Cached<Vec<Checking>>,
}

/// A token, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// The compact serialization.
    pub token: String,
    /// Switches without which the key would have been refused, such as that for short HMAC secrets: told once, with
    /// the first token, for a warning.
    pub acted: Switches,
}

struct Signing {
    key: SigningKey,
    header: ProtectedHeader,
}

struct Checking {
    verifier: Verifier,
    key: VerifyingKey,
}

enum Source {
    Secret(Arc<Secrets>, String),
    Variable(Arc<Secrets>, String),
    Given(Arc<Jwk>),
    Nowhere(Fault),
}

impl Software {
    /// A signer of this keeper's secrets, none of which it holds yet.
    pub fn new(keeper: Keeper, environment: impl Fn(&str) -> Option<Secret> + Send + Sync + 'static) -> Self {
        let environment: Box<Environment> = Box::new(environment);
        Self { secrets: Arc::new(Secrets::new(keeper, environment)), keys: RwLock::default(), kept: Kept::default() }
    }

    /// Seals and opens. To store a secret: seal it for its owner, store the box, then [`Self::set`] it.
    pub fn keeper(&self) -> &Keeper {
        self.secrets.keeper()
    }

    /// Holds a stored secret from now on, in the place of its owner's last one.
    pub fn set(&self, sealed: SealedBox) {
        self.secrets.set(sealed);
    }

    /// Changes whenever any document's secret does: what was made of secrets under another version may be stale.
    pub fn secrets_version(&self) -> u64 {
        self.secrets.version()
    }

    /// Forgets a stored secret.
    pub fn delete(&self, owner: &str) {
        self.secrets.delete(owner);
    }

    /// Holds a secret for this run alone; it wins over a stored one of that owner.
    pub fn give(&self, owner: String, secret: Secret) {
        self.secrets.give(owner, secret);
    }

    /// Holds a key for this run alone, for minters and verifiers made from now on.
    pub fn give_key(&self, name: String, key: Jwk) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(key));
        self.kept.clear();
    }

    /// Whether a key of that name was handed in.
    pub fn holds_key(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    pub(crate) fn given(&self, name: &str) -> Option<Arc<Jwk>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// How many times the text of a key that a message brings along or names was made ready for a use. What was made is
    /// kept, so under load this number rests.
    pub fn keys_prepared(&self) -> &Arc<AtomicU64> {
        self.kept.prepared()
    }

    /// What was made of the keys that messages brought along.
    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether a document's secret can be used, for a warning at deploy.
    ///
    /// # Errors
    /// The fault that a message would meet.
    pub fn check(&self, owner: &str) -> Result<(), Fault> {
        self.secrets.resolve(owner).map(drop)
    }

    /// What a document's secret holds, for whoever has to show it to somebody else: a password to the server that asks
    /// for it. Keys are used by [`Self::minter`] and [`Self::verifier`], and stay here.
    ///
    /// # Errors
    /// It is not set, or cannot be opened.
    pub fn show(&self, owner: &str) -> Result<Arc<Secret>, Fault> {
        self.secrets.resolve(owner)
    }

    /// A minter for one token plan. A key that is missing or does not fit is told by its tokens, not here.
    pub fn minter(
        &self,
        key: &KeyName,
        algorithm: &'static SignatureAlgorithm,
        header: HeaderPlan,
        switches: Switches,
    ) -> Minter {
        let (source, ready) = (self.source(key), Cached::default());
        Minter { source, algorithm, header, switches, ready, warned: AtomicBool::new(false) }
    }

    /// A verifier of these algorithms. A key that is missing or fits none of them is told by its checks, not here.
    pub fn verifier(
        &self,
        key: &KeyName,
        algorithms: Vec<&'static SignatureAlgorithm>,
        switches: Switches,
    ) -> TokenVerifier {
        TokenVerifier { source: self.source(key), algorithms, switches, ready: Cached::default() }
    }

    fn source(&self, key: &KeyName) -> Source {
        match key {
            KeyName::Secret(owner) => Source::Secret(Arc::clone(&self.secrets), owner.clone()),
            KeyName::Variable(name) => Source::Variable(Arc::clone(&self.secrets), name.clone()),
            KeyName::Given(name) => match self.given(name) {
                Some(key) => Source::Given(key),
                None => Source::Nowhere(Fault { kind: FaultKind::Missing, text: format!("no key `{name}` was given") }),
            },
        }
    }
}

impl Minter {
    /// Signs these claims, octet for octet.
    ///
    /// # Errors
    /// [`Fault`], in its kinds.
    pub fn mint(&self, claims: &[u8]) -> Result<Minted, Fault> {
        let ready = self.ready.get(self.source.version(), || self.prepare());
        let Signing { key, header } = ready.outcome.as_ref().map_err(Clone::clone)?;
        let mut token = Vec::new();
        key.sign_compact(header, claims, &mut token).map_err(|error| Fault::in_signing(&error))?;
        let token = String::from_utf8(token).expect("a compact token is base64url and dots");
        Ok(Minted { token, acted: self.first_warning(key) })
    }

    /// Whether each signature takes so long that it belongs on a thread of its own.
    pub fn is_slow(&self) -> bool {
        crate::ring_key::is_slow(self.algorithm)
    }

    fn prepare(&self) -> Result<Signing, Fault> {
        let key = self.source.signing_key(self.algorithm, self.switches)?;
        let header = ProtectedHeader::encode(&self.header, self.algorithm, key.kid(), key.public());
        Ok(Signing { header: header.map_err(|error| Fault::in_key(&error))?, key })
    }

    fn first_warning(&self, key: &SigningKey) -> Switches {
        let acted = key.acted();
        if acted == Switches::NONE || self.warned.swap(true, Ordering::Relaxed) { Switches::NONE } else { acted }
    }
}

impl TokenVerifier {
    /// Checks form, header, algorithm and signature of a compact token, and gives its payload. Claims are the caller's
    /// matter.
    ///
    /// # Errors
    /// [`Refusal`]: the token's fault or the key's.
    pub fn verify(&self, token: &str) -> Result<Vec<u8>, Refusal> {
        let ready = self.ready.get(self.source.version(), || self.prepare());
        let candidates = ready.outcome.as_ref().map_err(|fault| Refusal::Key(fault.clone()))?;
        let mut refusal = None;
        for Checking { verifier, key } in candidates {
            match verifier.verify(token, key) {
                Ok(verified) => return Ok(verified.payload),
                // The token's algorithm is not this candidate's; it may be the next one's.
                Err(error @ jose::Error::NotAllowed { .. }) => refusal = Some(error),
                Err(error) => return Err(Refusal::Token(error)),
            }
        }
        Err(Refusal::Token(refusal.expect("a prepared verifier has a candidate")))
    }

    /// One candidate for each algorithm that the key fits.
    fn prepare(&self) -> Result<Vec<Checking>, Fault> {
        let mut candidates = Vec::new();
        let mut first_fault = None;
        for algorithm in &self.algorithms {
            match self.source.verifying_key(algorithm, self.switches) {
                Ok(key) => {
                    let verifier = Verifier::new(&[algorithm]).expect("a list of one is not empty");
                    candidates.push(Checking { verifier, key });
                }
                Err(fault) => first_fault = first_fault.or(Some(fault)),
            }
        }
        if candidates.is_empty() {
            return Err(first_fault.unwrap_or_else(|| Fault {
                kind: FaultKind::Unfit,
                text: "no algorithm is named to verify with".to_owned(),
            }));
        }
        Ok(candidates)
    }
}

impl Source {
    fn version(&self) -> u64 {
        match self {
            Self::Secret(secrets, _) | Self::Variable(secrets, _) => secrets.version(),
            Self::Given(_) | Self::Nowhere(_) => 0,
        }
    }

    fn signing_key(&self, algorithm: &'static SignatureAlgorithm, switches: Switches) -> Result<SigningKey, Fault> {
        self.with_key(algorithm, |key| match key {
            Jwk::Private(private) => SigningKey::new(algorithm, private, switches),
            Jwk::Public(_) => Err(jose::Error::KeyUnfit { why: "a public key does not sign".into() }),
        })
    }

    fn verifying_key(&self, algorithm: &'static SignatureAlgorithm, switches: Switches) -> Result<VerifyingKey, Fault> {
        self.with_key(algorithm, |key| match key {
            Jwk::Private(private) => VerifyingKey::from_private(algorithm, private, switches),
            Jwk::Public(public) => VerifyingKey::new(algorithm, public, switches),
        })
    }

    fn with_key<T>(
        &self,
        algorithm: &SignatureAlgorithm,
        work: impl FnOnce(&Jwk) -> Result<T, jose::Error>,
    ) -> Result<T, Fault> {
        let worked = match self {
            Self::Nowhere(fault) => return Err(fault.clone()),
            Self::Given(key) => work(key),
            Self::Secret(secrets, owner) => read_key(algorithm, &*secrets.resolve(owner)?).and_then(|key| work(&key)),
            Self::Variable(secrets, name) => read_key(algorithm, &secrets.variable(name)?).and_then(|key| work(&key)),
        };
        worked.map_err(|error| Fault::in_key(&error))
    }
}

/// Makes a key of a document's secret: for HMAC its octets as they stand, else whatever form of key they are.
fn read_key(algorithm: &SignatureAlgorithm, secret: &Secret) -> Result<Jwk, jose::Error> {
    if matches!(algorithm.family, SignatureFamily::Hmac(_)) {
        return PrivateJwk::from_secret(secret.expose(), SecretForm::AsIs).map(Jwk::Private);
    }
    Jwk::import(secret.expose())
}
