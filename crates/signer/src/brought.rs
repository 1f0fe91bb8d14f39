//! Tokens made and opened with keys that a message brings along: parsed once, kept by their digest, never shown.
//!
//! A message that computes its JWK sends the same text again and again; reading it (and finding the primes of an RSA key
//! that came without them) costs far more than a signature. So what was made of a text is kept, and is found by the digest
//! of the text and of all that it was made for.

mod checks;
mod kept;
mod keys;
mod open;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, SignatureFamily, Switch, Switches};
use jose::jwe::{EncryptionOptions, EncryptionPlan};
use jose::jwk::Jwk;
use jose::jws::{HeaderMember, HeaderPlan, ProtectedHeader};
use jose::{EncryptionKey, RsaBits, SigningKey};

use crate::fault::{Fault, FaultKind};
use crate::{RandomPool, Secret, Software};
pub(crate) use kept::Kept;
use keys::{Candidate, only};
pub use open::{Decryption, Verification, Verified};

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
    /// The same, or a key in PEM.
    JwkOrPem(&'a str),
    /// A public key as a JWK or in PEM; a private one is refused.
    Public(&'a str),
    /// A shared secret: the octets of this text.
    Octets(&'a str),
    /// A document's secret, by the owner of its box, whose text is read like this.
    Secret(&'a str, SecretText),
}

/// How the text of a document's secret is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretText {
    /// As [`Brought::Jwk`].
    Jwk,
    /// As [`Brought::JwkOrPem`].
    JwkOrPem,
    /// As [`Brought::Public`].
    Public,
    /// As [`Brought::Octets`].
    Octets,
}

/// What stands in a header as `kid`.
#[derive(Clone, Copy, Debug)]
pub enum Kid<'a> {
    /// Nothing.
    Nowhere,
    /// The key's own; nothing if it has none.
    Key,
    /// The key's own, else its thumbprint (RFC 7638), else, for a shared secret, 128 bits that only the holder of the
    /// master key can lead back to it.
    Made,
    /// This text.
    Text(&'a str),
}

/// The members of the header of a layer, in order; `enc` only of an encryption, `cty` only around a signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `kid`, `alg`, `enc`, `cty`.
    KidFirst,
    /// `alg`, `enc`, `typ` (`JWT`), `cty`, `kid`.
    Typed,
}

/// One layer of a token that is made.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The key.
    pub key: Brought<'a>,
    /// The same key once more, as its public half or in another form: it must agree.
    pub also: Option<Brought<'a>>,
    /// How many bits an RSA key must have.
    pub rsa_bits: Option<RsaBits>,
    /// `alg`; none if the key decides.
    pub algorithm: Option<&'a str>,
    /// `enc`, of an encryption.
    pub content: Option<&'a str>,
    /// `kid`.
    pub kid: Kid<'a>,
    /// The header.
    pub header: Form,
    /// What is taken beyond the usual; each switch is told as a warning when it matters.
    pub switches: Switches,
}

/// A token that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The compact serialization.
    pub token: String,
    /// The public half of the key, as the text of a JWK with its `kid`; none for a shared secret.
    pub public: Option<String>,
    /// What an operator should know of the key.
    pub warnings: Vec<String>,
}

/// What was made of a key.
enum Ready {
    Signing { key: Box<SigningKey>, header: ProtectedHeader, public: Option<String>, warnings: Vec<String> },
    Encrypting { key: Box<EncryptionKey>, plan: EncryptionPlan },
    Verifying(open::Verifying),
    Decrypting(open::Decrypting),
}

impl Software {
    /// Whether a signature of this algorithm may take so long that it belongs on a thread of its own; none is one that the
    /// key decides.
    pub fn seals_slowly(algorithm: Option<&str>) -> bool {
        let row = algorithm.and_then(|name| SignatureAlgorithm::by_name(name).ok());
        !row.is_some_and(|row| matches!(row.family, SignatureFamily::Hmac(_)))
    }

    /// Signs these claims, octet for octet, into a compact token.
    ///
    /// # Errors
    /// What is wrong with the key, the algorithm or both together.
    pub fn sign(&self, layer: &Layer<'_>, claims: &[u8]) -> Result<Signed, Fault> {
        self.shown(layer, |layer| {
            let ready = self.kept().get(&layer.words("sign"), layer.switches, || self.signing(layer));
            let Ready::Signing { key, header, public, warnings } = ready.as_ref().map_err(Clone::clone)? else {
                return Err(unfit("the key was kept for another use".to_owned()));
            };
            let mut token = Vec::new();
            key.sign_compact(header, claims, &mut token).map_err(|error| Fault::in_signing(&error))?;
            let token = String::from_utf8(token).expect("a compact token is base64url and dots");
            Ok(Signed { token, public: public.clone(), warnings: warnings.clone() })
        })
    }

    /// Encrypts these octets into a compact token; `nested` if they are a signed token (RFC 7519 section 5.2).
    ///
    /// # Errors
    /// What is wrong with the key, an algorithm or both together.
    pub fn enclose(&self, layer: &Layer<'_>, plaintext: &[u8], nested: bool) -> Result<String, Fault> {
        self.shown(layer, |layer| {
            let words = layer.words(if nested { "nest" } else { "encrypt" });
            let ready = self.kept().get(&words, layer.switches, || self.encrypting(layer, nested));
            let Ready::Encrypting { key, plan } = ready.as_ref().map_err(Clone::clone)? else {
                return Err(unfit("the key was kept for another use".to_owned()));
            };
            let mut token = Vec::new();
            let encrypted = RANDOM.with_borrow_mut(|random| plan.encrypt_compact(key, plaintext, random, &mut token));
            encrypted.map_err(|error| Fault::in_signing(&error))?;
            Ok(String::from_utf8(token).expect("a compact token is base64url and dots"))
        })
    }

    fn signing(&self, layer: &Layer<'_>) -> Result<Ready, Fault> {
        let named = layer.algorithm.map(row).transpose()?;
        let (key, header, warnings) = only(self.candidates(layer.key)?, |candidate| {
            let (row, mut warnings) = candidate.signature_row(named)?;
            self.check_layer(layer, candidate)?;
            candidate.check_hmac(row, layer.switches)?;
            let Jwk::Private(private) = &candidate.key else {
                return Err(unfit("the key is public, and a public key does not sign".to_owned()));
            };
            let key = SigningKey::new(row, private, layer.switches).map_err(|error| Fault::in_key(&error))?;
            if key.acted().has(Switch::WeakHmac) {
                warnings.push(format!("the secret is shorter than the hash of {}", row.name));
            }
            let kid = self.kid(layer, candidate);
            let header =
                ProtectedHeader::encode(&header_plan(layer, kid.is_some(), false, false)?, row, kid.as_deref(), None);
            Ok((key, header.map_err(|error| Fault::in_key(&error))?, warnings))
        })?;
        let public = key.public().map(|public| {
            let mut public = public.clone();
            public.parameters.kid = Some(public.kid_or_thumbprint().into_owned());
            public.to_json()
        });
        Ok(Ready::Signing { key: Box::new(key), header, public, warnings })
    }

    fn encrypting(&self, layer: &Layer<'_>, nested: bool) -> Result<Ready, Fault> {
        let content = layer.content.ok_or_else(|| unfit("no content encryption (`enc`) is named".to_owned()))?;
        let content = ContentEncryption::by_name(content).map_err(|error| unfit(error.to_string()))?;
        let (key, plan) = only(self.candidates(layer.key)?, |candidate| {
            let name = layer.algorithm.or(candidate.algorithm.as_deref());
            let name =
                name.ok_or_else(|| unfit("no key encryption (`alg`) is named, by the policy or the key".into()))?;
            let row = KeyAlgorithm::by_name(name).map_err(|error| unfit(error.to_string()))?;
            self.check_layer(layer, candidate)?;
            candidate.check_length(row, content)?;
            let kid = self.kid(layer, candidate);
            let key = candidate.encryption_key(row, kid.as_deref(), layer.switches)?;
            let header = header_plan(layer, kid.is_some(), true, nested)?;
            let plan = EncryptionPlan::new(&key, content, &header, EncryptionOptions::default(), layer.switches);
            Ok((key, plan.map_err(|error| Fault::in_key(&error))?))
        })?;
        Ok(Ready::Encrypting { key: Box::new(key), plan })
    }

    fn candidates(&self, key: Brought<'_>) -> Result<Vec<Candidate>, Fault> {
        match key {
            Brought::Jwk(text) => keys::read(text),
            Brought::JwkOrPem(text) => keys::read_or_pem(text),
            Brought::Public(text) => keys::read_public(text),
            Brought::Octets(text) => keys::octets(text),
            Brought::Secret(owner, _) => {
                Err(Fault { kind: FaultKind::Missing, text: format!("the secret {owner} was not looked up") })
            }
            Brought::Given(name) => match self.given(name) {
                Some(key) => Ok(vec![Candidate::of_given(&key)]),
                None => {
                    // Before the first `/` stands what kind of name it is, which its author never wrote.
                    let written = name.split_once('/').map_or(name, |(_, written)| written);
                    Err(Fault { kind: FaultKind::Missing, text: format!("no key is bound to the name `{written}`") })
                }
            },
        }
    }

    /// The same layer with its secrets looked up.
    fn shown<T>(&self, layer: &Layer<'_>, make: impl FnOnce(&Layer<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.looked_up(layer.key, layer.also, |key, also| make(&Layer { key, also, ..*layer }))
    }

    /// The same keys with their secrets looked up.
    fn looked_up<T, E: From<Fault>>(
        &self,
        key: Brought<'_>,
        also: Option<Brought<'_>>,
        make: impl FnOnce(Brought<'_>, Option<Brought<'_>>) -> Result<T, E>,
    ) -> Result<T, E> {
        let of_key = self.secret_of(key)?;
        let of_also = also.map(|also| self.secret_of(also)).transpose()?.flatten();
        let key = of_key.as_ref().map_or(Ok(key), |(secret, form)| form.of(secret))?;
        let also = of_also.as_ref().map_or(Ok(also), |(secret, form)| form.of(secret).map(Some))?;
        make(key, also)
    }

    fn secret_of(&self, key: Brought<'_>) -> Result<Option<(Arc<Secret>, SecretText)>, Fault> {
        match key {
            Brought::Secret(owner, form) => Ok(Some((self.show(owner)?, form))),
            Brought::Given(_) | Brought::Jwk(_) | Brought::JwkOrPem(_) | Brought::Public(_) | Brought::Octets(_) => {
                Ok(None)
            }
        }
    }

    /// What stands in the header as `kid`, if anything.
    fn kid<'k>(&self, layer: &Layer<'k>, candidate: &'k Candidate) -> Option<Cow<'k, str>> {
        match layer.kid {
            Kid::Nowhere => None,
            Kid::Key => candidate.kid.as_deref().map(Cow::Borrowed),
            Kid::Text(text) => Some(Cow::Borrowed(text)),
            Kid::Made => Some(candidate.kid.as_deref().map_or_else(|| self.made_kid(candidate).into(), Cow::Borrowed)),
        }
    }
}

impl SecretText {
    fn of(self, secret: &Secret) -> Result<Brought<'_>, Fault> {
        let text = std::str::from_utf8(secret.expose())
            .map_err(|_| Fault { kind: FaultKind::Unusable, text: "the secret is no text".to_owned() })?;
        Ok(match self {
            Self::Jwk => Brought::Jwk(text),
            Self::JwkOrPem => Brought::JwkOrPem(text),
            Self::Public => Brought::Public(text),
            Self::Octets => Brought::Octets(text),
        })
    }
}

impl Layer<'_> {
    /// All that decides what is made of the key, but the switches.
    fn words<'w>(&'w self, purpose: &'w str) -> [&'w str; 11] {
        let (form, key) = self.key.words();
        let (also_form, also) = self.also.map_or(("", ""), Brought::words);
        let (kid, text) = match self.kid {
            Kid::Nowhere => ("none", ""),
            Kid::Key => ("own", ""),
            Kid::Made => ("made", ""),
            Kid::Text(text) => ("text", text),
        };
        let header = match self.header {
            Form::KidFirst => "kid first",
            Form::Typed => "typed",
        };
        let bits = match self.rsa_bits {
            None => "",
            Some(RsaBits::Bits2048) => "2048",
            Some(RsaBits::Bits3072) => "3072",
            Some(RsaBits::Bits4096) => "4096",
            Some(RsaBits::Bits8192) => "8192",
        };
        let (algorithm, content) = (self.algorithm.unwrap_or_default(), self.content.unwrap_or_default());
        [purpose, form, key, also_form, also, algorithm, content, kid, text, header, bits]
    }
}

impl<'a> Brought<'a> {
    fn words(self) -> (&'static str, &'a str) {
        match self {
            Self::Given(name) => ("given", name),
            Self::Jwk(text) => ("jwk", text),
            Self::JwkOrPem(text) => ("pem", text),
            Self::Public(text) => ("public", text),
            Self::Octets(text) => ("octets", text),
            Self::Secret(owner, _) => ("secret", owner),
        }
    }
}

fn header_plan(layer: &Layer<'_>, has_kid: bool, encrypted: bool, nested: bool) -> Result<HeaderPlan, Fault> {
    let kid = has_kid.then_some(HeaderMember::Kid);
    let enc = encrypted.then_some(HeaderMember::Enc);
    let cty = nested.then(|| HeaderMember::Cty("JWT".to_owned()));
    let members = match layer.header {
        Form::KidFirst => [kid, Some(HeaderMember::Alg), enc, cty, None],
        Form::Typed => [Some(HeaderMember::Alg), enc, Some(HeaderMember::Typ("JWT".to_owned())), cty, kid],
    };
    HeaderPlan::new(members.into_iter().flatten().collect()).map_err(|error| Fault::in_key(&error))
}

fn row(name: &str) -> Result<&'static SignatureAlgorithm, Fault> {
    SignatureAlgorithm::by_name(name).map_err(|error| unfit(error.to_string()))
}

fn unfit(text: String) -> Fault {
    Fault { kind: FaultKind::Unfit, text }
}
