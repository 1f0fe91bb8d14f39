//! Tokens opened with keys that a message brings along: decrypted, verified, or first the one and then the other.

use jose::base64url;
use jose::json::{Limits, Object, Value};
use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm};
use jose::jwe::{Decrypter, DecryptionKeys};
use jose::jwk::{Jwk, PublicJwk};
use jose::jws::{Keys, Verifier};
use jose::{DecryptionKey, VerifyingKey};
use zeroize::Zeroizing;

use super::keys::Candidate;
use super::{Brought, RANDOM, Ready, SWITCHES, unfit};
use crate::Software;
use crate::fault::{Fault, Refusal};

/// Most characters of a token that is looked at (security contract, section 5).
const TOKEN_CHARS_MAX: usize = 65_536;

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
    /// Opens a compact token: decrypts it if a key for that is named, and verifies what stands in it, or the token itself,
    /// if a key for that is. Claims are the caller's matter.
    ///
    /// # Errors
    /// [`Refusal`]: the token's fault or a key's.
    pub fn open(
        &self,
        token: &str,
        decryption: Option<Brought<'_>>,
        verification: Option<Brought<'_>>,
    ) -> Result<Vec<u8>, Refusal> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(refused("the token is longer than 65536 characters"));
        }
        let shown = |key: Option<Brought<'_>>| key.map(|key| self.secret_of(key)).transpose().map(Option::flatten);
        let (key, inner) = (shown(decryption).map_err(Refusal::Key)?, shown(verification).map_err(Refusal::Key)?);
        let decryption = key.as_ref().map_or(Ok(decryption), |(secret, form)| form.of(secret).map(Some));
        let verification = inner.as_ref().map_or(Ok(verification), |(secret, form)| form.of(secret).map(Some));
        let (decryption, verification) = (decryption.map_err(Refusal::Key)?, verification.map_err(Refusal::Key)?);
        self.opened(token, decryption, verification)
    }

    fn opened(
        &self,
        token: &str,
        decryption: Option<Brought<'_>>,
        verification: Option<Brought<'_>>,
    ) -> Result<Vec<u8>, Refusal> {
        let parts = token.split('.').count();
        let Some(decryption) = decryption else {
            let verification = verification.ok_or_else(|| Refusal::Key(unfit("no key is named".to_owned())))?;
            if parts == 5 {
                return Err(refused("the token is encrypted, and no key to decrypt it is named"));
            }
            return self.verified(token, verification);
        };
        if parts != 5 {
            return Err(refused("the token is not encrypted"));
        }
        let plaintext = self.decrypted(token, decryption)?;
        match (verification, std::str::from_utf8(&plaintext)) {
            (Some(verification), Ok(inner)) => self.verified(inner.trim(), verification),
            (Some(_), Err(_)) => Err(refused("what is encrypted is no token")),
            (None, Ok(inner)) if inner.split('.').count() == 3 && !inner.trim_start().starts_with('{') => {
                Err(refused("a signed token is encrypted, and no key to verify it is named"))
            }
            (None, _) => Ok(plaintext.to_vec()),
        }
    }

    fn decrypted(&self, token: &str, key: Brought<'_>) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let header = header(token)?;
        let row = KeyAlgorithm::by_name(name(&header, "alg")?).map_err(Refusal::Token)?;
        let content = ContentEncryption::by_name(name(&header, "enc")?).map_err(Refusal::Token)?;
        let (form, text) = key.words();
        let ready = self.kept().get(&["decrypt", form, text, row.name], SWITCHES, || self.decrypting(key, row));
        let ready = ready.as_ref().map_err(|fault| Refusal::Key(fault.clone()))?;
        let Ready::Decrypting(Decrypting { row, keys }) = ready else {
            return Err(refused("the key is kept for another use"));
        };
        let decrypter = Decrypter::new(&[row], &[content]).map_err(Refusal::Token)?;
        let keys = if let [key] = keys.as_slice() { DecryptionKeys::One(key) } else { DecryptionKeys::Set(keys) };
        let decrypted = RANDOM.with_borrow_mut(|random| decrypter.decrypt(token, keys, random));
        decrypted.map(|decrypted| decrypted.plaintext).map_err(Refusal::Token)
    }

    fn decrypting(&self, key: Brought<'_>, row: &'static KeyAlgorithm) -> Result<Ready, Fault> {
        let keys = fitting(self.candidates(key)?, |candidate| {
            let Jwk::Private(private) = &candidate.key else {
                return Err(unfit("the key is public, and a public key does not decrypt".to_owned()));
            };
            DecryptionKey::new(row, private, SWITCHES).map_err(|error| Fault::in_key(&error))
        })?;
        Ok(Ready::Decrypting(Decrypting { row, keys }))
    }

    fn verified(&self, token: &str, key: Brought<'_>) -> Result<Vec<u8>, Refusal> {
        let header = header(token)?;
        let row = SignatureAlgorithm::by_name(name(&header, "alg")?).map_err(Refusal::Token)?;
        let (form, text) = key.words();
        let ready = self.kept().get(&["verify", form, text, row.name], SWITCHES, || self.verifying(key, row));
        let ready = ready.as_ref().map_err(|fault| Refusal::Key(fault.clone()))?;
        let Ready::Verifying(Verifying { verifier, keys, publics }) = ready else {
            return Err(refused("the key is kept for another use"));
        };
        let set = if let [key] = keys.as_slice() { Keys::One(key) } else { Keys::Set(keys) };
        let verified = verifier.verify(token, set).map_err(Refusal::Token)?;
        check_named_key(&header, publics.get(verified.key_index).and_then(Option::as_ref))?;
        Ok(verified.payload)
    }

    fn verifying(&self, key: Brought<'_>, row: &'static SignatureAlgorithm) -> Result<Ready, Fault> {
        let mut publics = Vec::new();
        let keys = fitting(self.candidates(key)?, |candidate| {
            if !candidate.is_secret_for(row) {
                return Err(unfit(format!("the key is none for {}, which the token is signed with", row.name)));
            }
            let key = match candidate.with_kid() {
                Jwk::Private(private) => VerifyingKey::from_private(row, &private, SWITCHES),
                Jwk::Public(public) => VerifyingKey::new(row, &public, SWITCHES),
            };
            let key = key.map_err(|error| Fault::in_key(&error))?;
            publics.push(candidate.key.public().map(std::borrow::Cow::into_owned));
            Ok(key)
        })?;
        let verifier = Verifier::new(&[row]).expect("a list of one is not empty");
        Ok(Ready::Verifying(Verifying { verifier, keys, publics }))
    }
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
