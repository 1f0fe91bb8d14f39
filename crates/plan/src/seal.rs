//! Tokens whose keys, and whose algorithms perhaps, each message brings along: made without anything compiled.

use std::ops::Range;

use jose::RsaBits;
use jose::jwa::Switches;

use crate::effect::Fault;
use crate::expr::Expr;
use crate::token::{ClaimPlan, Lifetime, SecretRef};
use crate::value::Text;

/// A token that is signed, encrypted, or both: then the signed token is what is encrypted (RFC 7519 section 5.2).
#[derive(Clone, Debug, PartialEq)]
pub struct SealPlan {
    /// Claims, in order.
    pub claims: Vec<ClaimPlan>,
    /// The span from `iat` to `exp`.
    pub lifetime: Lifetime,
    /// How it is signed; none for claims that are only encrypted.
    pub signature: Option<Protection>,
    /// How it is encrypted; none for a token that is only signed.
    pub encryption: Option<Protection>,
    /// Whether it is neither: an unsecured token (RFC 7515 appendix A.5), which whoever holds it can change.
    pub unsecured: bool,
    /// The beginning of the text that is written in the token's place, such as a scheme and a blank.
    pub prefix: Text,
}

/// One layer of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Protection {
    /// The key.
    pub key: KeyFrom,
    /// The same key once more, as its public half or in another form: it must agree. None if there is but one.
    pub also: Option<KeyFrom>,
    /// How many bits an RSA key must have; none if that is not asked.
    pub rsa_bits: Option<RsaBits>,
    /// The name of the algorithm, `alg`; none if the key decides.
    pub algorithm: Option<Expr>,
    /// The name of the content encryption, `enc`; none in a signature.
    pub content: Option<Expr>,
    /// What stands in the header as `kid`.
    pub kid: KidFrom<Expr>,
    /// What else stands in the header, and in which order.
    pub header: HeaderForm,
    /// What is allowed beyond the usual, such as short HMAC secrets.
    pub switches: Switches,
}

/// The members of the header of a layer, in order; `enc` only of an encryption, `cty` (`JWT`) only around a signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderForm {
    /// `kid`, `alg`, `enc`, `cty`.
    KidFirst,
    /// `alg`, `enc`, `typ` (`JWT`), `cty`, `kid`.
    Typed,
}

/// One of the two layers of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealLayer {
    /// The signature.
    Signature,
    /// The encryption.
    Encryption,
}

/// Where the key of a layer comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyFrom {
    /// A key that whoever drives the engine was given beside the plan, by its name there.
    Given(Text),
    /// A secret of the document, looked up when it is used.
    Secret(SecretRef, KeyForm),
    /// The ring of that name: whichever of its keys signs at the instant, and all that verify then. It cannot encrypt.
    Ring(Text),
    /// A key that the message holds, as text or, if it is a JWK, as a value.
    Brought {
        /// Where it stands.
        of: Expr,
        /// How it is written.
        form: KeyForm,
        /// Raised when nothing stands there.
        absent: Box<Fault>,
    },
}

/// How the text of a key is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// A JWK (RFC 7517), a list of one, or a JWK Set.
    Jwk,
    /// The same, or PEM.
    JwkOrPem,
    /// A public key as a JWK or PEM; a private one is refused.
    Public,
    /// A shared secret: the octets of the text.
    Octets,
}

/// What stands in a header as `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KidFrom<T> {
    /// Nothing.
    Nowhere,
    /// The key's own; nothing if it has none.
    Key,
    /// The key's own. One that has none is named by its thumbprint (RFC 7638); a shared secret by 128 bits that nobody
    /// can lead back to it.
    Made,
    /// This text.
    Text(T),
}

/// Claims to be sealed, all that the message decides decided.
#[derive(Debug)]
pub struct SealRequest {
    /// The claims as JSON octets, taken as they stand.
    pub claims: Vec<u8>,
    /// Where the times stand in them.
    pub times: Times,
    /// Whether [`Known`] is wanted.
    pub tells: bool,
    /// How they are signed.
    pub signature: Option<Layer>,
    /// How what comes of that is encrypted.
    pub encryption: Option<Layer>,
    /// Whether it is meant to be neither signed nor encrypted.
    pub unsecured: bool,
}

/// The times that a plan has written into claims, for a key whose own clock and ceiling count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// The octets of the value of `iat`.
    pub issued_at: Option<Range<usize>>,
    /// The octets of the value of `exp`.
    pub expires: Option<Range<usize>>,
    /// Seconds from the instant of minting to `exp`.
    pub lifetime_secs: i64,
}

/// What is known of a token beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its claims, as JSON text.
    pub claims: Text,
    /// The signed token; the one within, if it is encrypted.
    pub signed: Option<Text>,
    /// The public half of the key that signed, as the text of a JWK.
    pub key: Option<Text>,
}

/// One layer of a token that is made; its members are those of [`Protection`].
#[derive(Debug)]
pub struct Layer {
    /// The key.
    pub key: KeyHeld,
    /// The same key once more.
    pub also: Option<KeyHeld>,
    /// How many bits an RSA key must have.
    pub rsa_bits: Option<RsaBits>,
    /// The name of the algorithm; none if the key decides.
    pub algorithm: Option<Text>,
    /// The name of the content encryption.
    pub content: Option<Text>,
    /// What stands in the header as `kid`.
    pub kid: KidFrom<Text>,
    /// What else stands in the header.
    pub header: HeaderForm,
    /// What is allowed beyond the usual.
    pub switches: Switches,
}

/// The key of a layer, found for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyHeld {
    /// A key that whoever drives the engine was given beside the plan, by its name there.
    Given(Text),
    /// A secret of the document.
    Secret(SecretRef, KeyForm),
    /// The ring of that name.
    Ring(Text),
    /// The text of a key; nobody has looked into it.
    Text(Text, KeyForm),
}
