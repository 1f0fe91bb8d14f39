//! Tokens whose keys, and whose algorithms perhaps, each message brings along: made and opened without anything compiled.

use crate::effect::Fault;
use crate::expr::Expr;
use crate::pattern::Pattern;
use crate::token::{ClaimPlan, Lifetime};
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
    /// The beginning of the text that is written in the token's place, such as a scheme and a blank.
    pub prefix: Text,
}

/// One layer of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Protection {
    /// The key.
    pub key: KeyFrom,
    /// The name of the algorithm, `alg`; none if the key decides.
    pub algorithm: Option<Expr>,
    /// The name of the content encryption, `enc`; none in a signature.
    pub content: Option<Expr>,
    /// What stands in the header as `kid`.
    pub kid: KidFrom<Expr>,
}

/// Where the key of a layer comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyFrom {
    /// A key that whoever drives the engine was given beside the plan, by its name there.
    Given(Text),
    /// A JWK (RFC 7517) that the message holds, as text or as a value.
    Brought {
        /// Where it stands.
        of: Expr,
        /// Raised when nothing stands there.
        absent: Box<Fault>,
    },
}

/// What stands in a header as `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KidFrom<T> {
    /// Nothing.
    Nowhere,
    /// The key's own; nothing if it has none.
    Key,
    /// This text.
    Text(T),
}

/// What is asked of a token whose keys the message brings along.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenPlan {
    /// Where the compact token comes from.
    pub token: Expr,
    /// The key that opens the outer layer; none if tokens are not encrypted.
    pub decryption: Option<KeyFrom>,
    /// The key that must have signed; none if encryption alone is taken for proof.
    pub verification: Option<KeyFrom>,
    /// What `iss` must be, whole; none if that is not asked.
    pub issuer: Option<Pattern>,
    /// What `aud`, or one of its elements, must be, whole; none if that is not asked.
    pub audience: Option<Pattern>,
}

/// Claims to be sealed, all that the message decides decided.
#[derive(Debug)]
pub struct SealRequest {
    /// The claims as JSON octets, taken as they stand.
    pub claims: Vec<u8>,
    /// How they are signed.
    pub signature: Option<Layer>,
    /// How what comes of that is encrypted.
    pub encryption: Option<Layer>,
}

/// One layer of a token that is made.
#[derive(Debug)]
pub struct Layer {
    /// The key.
    pub key: KeyHeld,
    /// The name of the algorithm; none if the key decides.
    pub algorithm: Option<Text>,
    /// The name of the content encryption.
    pub content: Option<Text>,
    /// What stands in the header as `kid`.
    pub kid: KidFrom<Text>,
}

/// The key of a layer, found for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyHeld {
    /// A key that whoever drives the engine was given beside the plan, by its name there.
    Given(Text),
    /// The text of a JWK, of a list of one, or of a JWK Set; nobody has looked into it.
    Jwk(Text),
}

/// A token to be opened.
#[derive(Debug)]
pub struct OpenRequest {
    /// The compact token.
    pub token: Text,
    /// The key that opens the outer layer.
    pub decryption: Option<KeyHeld>,
    /// The key that must have signed.
    pub verification: Option<KeyHeld>,
}
