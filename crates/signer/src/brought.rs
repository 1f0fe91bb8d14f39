//! Tokens made and opened with keys that a message brings along: parsed once, kept by their digest, never shown.
//!
//! A message that computes its JWK sends the same text again and again; reading it (and finding the primes of an RSA key
//! that came without them) costs far more than a signature. So what was made of a text is kept, and is found by the digest
//! of the text and of all that it was made for.

mod keys;
mod open;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, SignatureFamily, Switch, Switches};
use jose::jwe::{EncryptionOptions, EncryptionPlan};
use jose::jwk::Jwk;
use jose::jws::{HeaderMember, HeaderPlan, ProtectedHeader};
use jose::{EncryptionKey, SigningKey};

use crate::fault::{Fault, FaultKind};
use crate::{RandomPool, Software};
use keys::{Candidate, only};

/// Most keys that are kept in their parsed form. When there are more, all are let go and parsed again as they come.
const KEPT_MAX: usize = 1_024;
/// What is taken here beyond the usual; each is told as a warning when it matters.
const SWITCHES: Switches = Switches::NONE.with(Switch::WeakHmac).with(Switch::Rsa1_5);

thread_local! {
    static RANDOM: RefCell<RandomPool> = RefCell::default();
}

/// A key that a message brings along, or names.
#[derive(Clone, Copy, Debug)]
pub enum Brought<'a> {
    /// A key that was handed to [`Software::give_key`], by its name.
    Given(&'a str),
    /// The text of a JWK, of a list of them, or of a JWK Set, of which exactly one fits.
    Jwk(&'a str),
}

/// What stands in a header as `kid`.
#[derive(Clone, Copy, Debug)]
pub enum Kid<'a> {
    /// Nothing.
    Nowhere,
    /// The key's own; nothing if it has none.
    Key,
    /// This text.
    Text(&'a str),
}

/// One layer of a token that is made.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The key.
    pub key: Brought<'a>,
    /// `alg`; none if the key decides.
    pub algorithm: Option<&'a str>,
    /// `enc`, of an encryption.
    pub content: Option<&'a str>,
    /// `kid`.
    pub kid: Kid<'a>,
}

/// A token that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The compact serialization.
    pub token: String,
    /// What an operator should know of its keys.
    pub warnings: Vec<String>,
}

/// What was made of keys, by digest.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<[u8; 32], Made>>);

/// A key made ready, or why it cannot be.
type Made = Arc<Result<Ready, Fault>>;

/// What was made of a key.
enum Ready {
    Signing { key: Box<SigningKey>, header: ProtectedHeader, warnings: Vec<String> },
    Encrypting { key: Box<EncryptionKey>, plan: EncryptionPlan },
    Verifying(open::Verifying),
    Decrypting(open::Decrypting),
}

impl Kept {
    /// What was made for these words, now or before. A fault is kept, too: a broken key is not parsed for each message.
    fn get(&self, words: &[&str], make: impl FnOnce() -> Result<Ready, Fault>) -> Made {
        let mut text = Vec::new();
        for word in words {
            text.extend_from_slice(&word.len().to_le_bytes());
            text.extend_from_slice(word.as_bytes());
        }
        let digest = digest(&SHA256, &text);
        let digest: [u8; 32] = digest.as_ref().try_into().expect("SHA-256 has 32 octets");
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = kept().get(&digest) {
            return Arc::clone(ready);
        }
        let made = Arc::new(make());
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(digest, Arc::clone(&made));
        made
    }

    /// Lets go of everything, because a given key has changed.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Software {
    /// Makes a token: signs the claims, then encrypts what came of that, each if a layer is named.
    ///
    /// # Errors
    /// What is wrong with a key, an algorithm or both together.
    pub fn seal(
        &self,
        claims: &[u8],
        signature: Option<&Layer<'_>>,
        encryption: Option<&Layer<'_>>,
    ) -> Result<Sealed, Fault> {
        let signed = signature.map(|layer| self.sign(layer, claims)).transpose()?;
        let Some(layer) = encryption else {
            return signed.ok_or_else(|| unfit("a token needs a key to be signed or encrypted with".to_owned()));
        };
        let (inner, warnings) = match &signed {
            Some(signed) => (signed.token.as_bytes(), signed.warnings.clone()),
            None => (claims, Vec::new()),
        };
        Ok(Sealed { token: self.encrypt(layer, inner, signed.is_some())?, warnings })
    }

    /// Whether making a token with this signature may take so long that it belongs on a thread of its own.
    pub fn seals_slowly(signature: Option<&Layer<'_>>) -> bool {
        let row = signature.map(|layer| layer.algorithm.and_then(|name| SignatureAlgorithm::by_name(name).ok()));
        match row {
            None => false,
            Some(row) => !row.is_some_and(|row| matches!(row.family, SignatureFamily::Hmac(_))),
        }
    }

    fn sign(&self, layer: &Layer<'_>, claims: &[u8]) -> Result<Sealed, Fault> {
        let ready = self.kept().get(&layer.words("sign"), || self.signing(layer));
        let Ready::Signing { key, header, warnings } = ready.as_ref().as_ref().map_err(Clone::clone)? else {
            return Err(unfit("the key was kept for another use".to_owned()));
        };
        let mut token = Vec::new();
        key.sign_compact(header, claims, &mut token).map_err(|error| Fault::in_signing(&error))?;
        let token = String::from_utf8(token).expect("a compact token is base64url and dots");
        Ok(Sealed { token, warnings: warnings.clone() })
    }

    fn signing(&self, layer: &Layer<'_>) -> Result<Ready, Fault> {
        let named = layer.algorithm.map(row).transpose()?;
        let made = only(self.candidates(layer.key)?, |candidate| {
            let (row, mut warnings) = candidate.signature_row(named)?;
            let Jwk::Private(private) = &candidate.key else {
                return Err(unfit("the key is public, and a public key does not sign".to_owned()));
            };
            let key = SigningKey::new(row, private, SWITCHES).map_err(|error| Fault::in_key(&error))?;
            if key.acted() != Switches::NONE {
                warnings.push(format!("the secret is shorter than the hash of {}", row.name));
            }
            let kid = layer.kid.of(candidate.kid.as_deref());
            let header = ProtectedHeader::encode(&header_plan(&layer.kid, false, false)?, row, kid, None);
            Ok((key, header.map_err(|error| Fault::in_key(&error))?, warnings))
        });
        let (key, header, warnings) = made?;
        Ok(Ready::Signing { key: Box::new(key), header, warnings })
    }

    fn encrypt(&self, layer: &Layer<'_>, plaintext: &[u8], nested: bool) -> Result<String, Fault> {
        let words = layer.words(if nested { "nest" } else { "encrypt" });
        let ready = self.kept().get(&words, || self.encrypting(layer, nested));
        let Ready::Encrypting { key, plan } = ready.as_ref().as_ref().map_err(Clone::clone)? else {
            return Err(unfit("the key was kept for another use".to_owned()));
        };
        let mut token = Vec::new();
        let encrypted = RANDOM.with_borrow_mut(|random| plan.encrypt_compact(key, plaintext, random, &mut token));
        encrypted.map_err(|error| Fault::in_signing(&error))?;
        Ok(String::from_utf8(token).expect("a compact token is base64url and dots"))
    }

    fn encrypting(&self, layer: &Layer<'_>, nested: bool) -> Result<Ready, Fault> {
        let content = layer.content.ok_or_else(|| unfit("no content encryption (`enc`) is named".to_owned()))?;
        let content = ContentEncryption::by_name(content).map_err(|error| unfit(error.to_string()))?;
        let (key, plan) = only(self.candidates(layer.key)?, |candidate| {
            let name = layer.algorithm.or(candidate.algorithm.as_deref());
            let name =
                name.ok_or_else(|| unfit("no key encryption (`alg`) is named, by the policy or the key".into()))?;
            let row = KeyAlgorithm::by_name(name).map_err(|error| unfit(error.to_string()))?;
            candidate.check_length(row, content)?;
            let key = candidate.encryption_key(row, layer.kid.of(candidate.kid.as_deref()))?;
            let header = header_plan(&layer.kid, true, nested)?;
            let plan = EncryptionPlan::new(&key, content, &header, EncryptionOptions::default(), SWITCHES);
            Ok((key, plan.map_err(|error| Fault::in_key(&error))?))
        })?;
        Ok(Ready::Encrypting { key: Box::new(key), plan })
    }

    fn candidates(&self, key: Brought<'_>) -> Result<Vec<Candidate>, Fault> {
        match key {
            Brought::Jwk(text) => keys::read(text),
            Brought::Given(name) => match self.given(name) {
                Some(key) => Ok(vec![Candidate::of_given(&key)]),
                None => Err(Fault { kind: FaultKind::Missing, text: format!("no key is bound to the name `{name}`") }),
            },
        }
    }
}

impl Layer<'_> {
    /// All that decides what is made of the key.
    fn words<'w>(&'w self, purpose: &'w str) -> [&'w str; 7] {
        let (form, key) = self.key.words();
        let (kid, text) = match self.kid {
            Kid::Nowhere => ("none", ""),
            Kid::Key => ("own", ""),
            Kid::Text(text) => ("text", text),
        };
        [purpose, form, key, self.algorithm.unwrap_or_default(), self.content.unwrap_or_default(), kid, text]
    }
}

impl<'a> Brought<'a> {
    fn words(self) -> (&'static str, &'a str) {
        match self {
            Self::Given(name) => ("given", name),
            Self::Jwk(text) => ("jwk", text),
        }
    }
}

impl<'a> Kid<'a> {
    fn of(self, own: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Nowhere => None,
            Self::Key => own,
            Self::Text(text) => Some(text),
        }
    }
}

fn header_plan(kid: &Kid<'_>, encrypted: bool, nested: bool) -> Result<HeaderPlan, Fault> {
    let kid = (!matches!(kid, Kid::Nowhere)).then_some(HeaderMember::Kid);
    let enc = encrypted.then_some(HeaderMember::Enc);
    let cty = nested.then(|| HeaderMember::Cty("JWT".to_owned()));
    let members = [kid, Some(HeaderMember::Alg), enc, cty].into_iter().flatten().collect();
    HeaderPlan::new(members).map_err(|error| Fault::in_key(&error))
}

fn row(name: &str) -> Result<&'static SignatureAlgorithm, Fault> {
    SignatureAlgorithm::by_name(name).map_err(|error| unfit(error.to_string()))
}

fn unfit(text: String) -> Fault {
    Fault { kind: FaultKind::Unfit, text }
}
