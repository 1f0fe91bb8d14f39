//! Tokens opened with keys that a message brings along: decrypted, verified, or first the one and then the other.

use jose::base64url;
use jose::json::{Limits, Object, Value};
use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switches};
use jose::jwe::{Decrypter, DecryptionKeys};
use jose::jwk::{Jwk, PublicJwk};
use jose::jws::{Keys, Verifier};
use jose::{DecryptionKey, VerifyingKey};
use zeroize::Zeroizing;

use super::keys::Candidate;
use super::{Brought, RANDOM, Ready, unfit};
use crate::Software;
use crate::fault::{Fault, Refusal};

/// How the signature of a token is checked.
#[derive(Clone, Copy, Debug)]
pub struct Verification<'a> {
    /// The key.
    pub key: Brought<'a>,
    /// The same key once more, in another form: it must agree.
    pub also: Option<Brought<'a>>,
    /// The row that must have signed; none leaves it to the kind of the key.
    pub algorithm: Option<&'static SignatureAlgorithm>,
    /// What is taken beyond the usual.
    pub switches: Switches,
}

/// How a token is decrypted.
#[derive(Clone, Copy, Debug)]
pub struct Decryption<'a> {
    /// The key.
    pub key: Brought<'a>,
    /// The same key once more, in another form: it must agree.
    pub also: Option<Brought<'a>>,
    /// The rows of key management and of content encryption; none leaves them to the token and the kind of the key.
    pub algorithms: Option<(&'static KeyAlgorithm, &'static ContentEncryption)>,
    /// What is taken beyond the usual.
    pub switches: Switches,
}

/// A token whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub payload: Vec<u8>,
    /// The public key that verified it, as the text of a JWK; none for a shared secret.
    pub public: Option<String>,
}

/// The keys that fit one algorithm of signatures.
pub(super) struct Verifying {
    verifier: Verifier,
    keys: Vec<VerifyingKey>,
    publics: Vec<Option<PublicJwk>>,
}

/// The keys that fit one algorithm of key management.
pub(super) struct Decrypting {
    row: &'static KeyAlgorithm,
    keys: Vec<DecryptionKey>,
}

impl Software {
    /// Decrypts a compact JWE (RFC 7516 section 7.1).
    ///
    /// # Errors
    /// [`Refusal`]: the token's fault or the key's.
    pub fn decrypt(&self, token: &str, by: &Decryption<'_>) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let header = header(token)?;
        let row = KeyAlgorithm::by_name(name(&header, "alg")?).map_err(Refusal::Token)?;
        let content = ContentEncryption::by_name(name(&header, "enc")?).map_err(Refusal::Token)?;
        if let Some((asked, within)) = by.algorithms {
            same("alg", (row.name, asked.name))?;
            same("enc", (content.name, within.name))?;
        }
        self.looked_up(by.key, by.also, |key, also| {
            let by = Decryption { key, also, ..*by };
            let ready = self.kept().get(&by.words(row, content), by.switches, || self.decrypting(&by, row, content));
            let ready = ready.as_ref().map_err(|fault| Refusal::Key(fault.clone()))?;
            let Ready::Decrypting(Decrypting { row, keys }) = ready else {
                return Err(refused("the key is kept for another use"));
            };
            let decrypter = Decrypter::new(&[row], &[content]).map_err(Refusal::Token)?;
            let keys = if let [key] = keys.as_slice() { DecryptionKeys::One(key) } else { DecryptionKeys::Set(keys) };
            let decrypted = RANDOM.with_borrow_mut(|random| decrypter.decrypt(token, keys, random));
            decrypted.map(|decrypted| decrypted.plaintext).map_err(Refusal::Token)
        })
    }

    /// Checks the signature of a compact JWS (RFC 7515 section 7.1). Claims are the caller's matter.
    ///
    /// # Errors
    /// [`Refusal`]: the token's fault or the key's.
    pub fn verify(&self, token: &str, by: &Verification<'_>) -> Result<Verified, Refusal> {
        let header = header(token)?;
        let row = SignatureAlgorithm::by_name(name(&header, "alg")?).map_err(Refusal::Token)?;
        by.algorithm.map_or(Ok(()), |asked| same("alg", (row.name, asked.name)))?;
        self.looked_up(by.key, by.also, |key, also| {
            let by = Verification { key, also, ..*by };
            let ready = self.kept().get(&by.words(row), by.switches, || self.verifying(&by, row));
            let ready = ready.as_ref().map_err(|fault| Refusal::Key(fault.clone()))?;
            let Ready::Verifying(Verifying { verifier, keys, publics }) = ready else {
                return Err(refused("the key is kept for another use"));
            };
            let set = if let [key] = keys.as_slice() { Keys::One(key) } else { Keys::Set(keys) };
            let verified = verifier.verify(token, set).map_err(Refusal::Token)?;
            let public = publics.get(verified.key_index).and_then(Option::as_ref);
            check_named_key(&header, public)?;
            Ok(Verified { payload: verified.payload, public: public.map(PublicJwk::to_json) })
        })
    }

    fn decrypting(
        &self,
        by: &Decryption<'_>,
        row: &'static KeyAlgorithm,
        content: &ContentEncryption,
    ) -> Result<Ready, Fault> {
        let keys = fitting(self.candidates(by.key)?, |candidate| {
            let Jwk::Private(private) = &candidate.key else {
                return Err(unfit("the key is public, and a public key does not decrypt".to_owned()));
            };
            self.check_also(by.also, candidate)?;
            if by.algorithms.is_some() {
                candidate.check_length(row, content)?;
            }
            DecryptionKey::new(row, private, by.switches).map_err(|error| Fault::in_key(&error))
        })?;
        Ok(Ready::Decrypting(Decrypting { row, keys }))
    }

    fn verifying(&self, by: &Verification<'_>, row: &'static SignatureAlgorithm) -> Result<Ready, Fault> {
        let mut publics = Vec::new();
        let keys = fitting(self.candidates(by.key)?, |candidate| {
            if !candidate.is_secret_for(row) {
                return Err(unfit(format!("the key is none for {}, which the token is signed with", row.name)));
            }
            self.check_also(by.also, candidate)?;
            candidate.check_hmac(row, by.switches)?;
            let key = match candidate.with_kid() {
                Jwk::Private(private) => VerifyingKey::from_private(row, &private, by.switches),
                Jwk::Public(public) => VerifyingKey::new(row, &public, by.switches),
            };
            let key = key.map_err(|error| Fault::in_key(&error))?;
            publics.push(candidate.key.public().map(std::borrow::Cow::into_owned));
            Ok(key)
        })?;
        let verifier = Verifier::new(&[row]).expect("a list of one is not empty");
        Ok(Ready::Verifying(Verifying { verifier, keys, publics }))
    }
}

impl Verification<'_> {
    /// All that decides what is made of the key.
    fn words(&self, row: &SignatureAlgorithm) -> [&str; 6] {
        let ((form, key), (also_form, also)) = (self.key.words(), self.also.map_or(("", ""), Brought::words));
        ["verify", form, key, also_form, also, row.name]
    }
}

impl Decryption<'_> {
    /// All that decides what is made of the key.
    fn words(&self, row: &KeyAlgorithm, content: &ContentEncryption) -> [&str; 7] {
        let ((form, key), (also_form, also)) = (self.key.words(), self.also.map_or(("", ""), Brought::words));
        let content = if self.algorithms.is_some() { content.name } else { "" };
        ["decrypt", form, key, also_form, also, row.name, content]
    }
}

/// Whether the header names what is asked for.
fn same(member: &str, (found, asked): (&'static str, &'static str)) -> Result<(), Refusal> {
    if found == asked {
        return Ok(());
    }
    let why = format!("`{member}` must be {asked}").into();
    Err(Refusal::Token(jose::Error::NotAllowed { what: found.into(), why }))
}

/// What is made of the keys that fit.
fn fitting<T>(
    candidates: Vec<Candidate>,
    mut make: impl FnMut(&Candidate) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let (mut made, mut first_fault) = (Vec::new(), None);
    for candidate in &candidates {
        match make(candidate) {
            Ok(fits) => made.push(fits),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    if made.is_empty() { Err(first_fault.unwrap_or_else(|| unfit("there is no key".to_owned()))) } else { Ok(made) }
}

/// A `jwk` in the header must be the key that signed (RFC 7515 section 4.1.3): anybody could put another there.
fn check_named_key(header: &Object, signer: Option<&PublicJwk>) -> Result<(), Refusal> {
    let Some(named) = header.get("jwk") else { return Ok(()) };
    let named = named.as_object().and_then(|named| PublicJwk::from_object(named).ok());
    match (named, signer) {
        (Some(named), Some(signer)) if named.key == signer.key => Ok(()),
        (_, _) => Err(refused("`jwk` in the header is not the key that is configured")),
    }
}

fn header(token: &str) -> Result<Object, Refusal> {
    let first = token.split('.').next().unwrap_or_default();
    let octets = base64url::decode(first).map_err(|error| Refusal::Token(error.into()))?;
    match Value::parse(&octets, Limits::REQUEST) {
        Ok(Value::Object(header)) => Ok(header),
        Ok(_) | Err(_) => Err(refused("the header of the token is no JSON object")),
    }
}

fn name<'h>(header: &'h Object, member: &str) -> Result<&'h str, Refusal> {
    let named = header.get(member).and_then(Value::as_text);
    named.ok_or_else(|| refused("the header of the token names no algorithm"))
}

fn refused(why: &'static str) -> Refusal {
    Refusal::Token(jose::Error::Malformed { what: why.into(), json: None })
}
