//! Tokens that are opened with keys which the message brings along, and what is asked of them.

use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switches};

use crate::expr::Expr;
use crate::pattern::Pattern;
use crate::seal::{KeyFrom, KeyHeld};
use crate::token::ExpiryRules;
use crate::value::Text;

/// What is asked of a token whose keys the message brings along.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenPlan {
    /// Where the compact token comes from.
    pub token: Expr,
    /// What opens the outer layer; none if tokens are not encrypted.
    pub decryption: Option<Decryption<KeyFrom>>,
    /// What must have signed; none if encryption alone is taken for proof.
    pub verification: Option<Verification<KeyFrom>>,
    /// What `iss` must be, whole; none if that is not asked.
    pub issuer: Option<Expected>,
    /// What `aud`, or one of its elements, must be, whole; none if that is not asked.
    pub audience: Option<Expected>,
    /// Claims that must be there.
    pub required: Vec<Text>,
    /// What is asked of `exp`, `nbf` and `iat`.
    pub times: ExpiryRules,
}

/// How a signature is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification<K> {
    /// The key.
    pub key: K,
    /// The same key once more, in another form: it must agree. None if there is but one.
    pub also: Option<K>,
    /// The row that must have signed; none leaves it to the kind of the key.
    pub algorithm: Option<&'static SignatureAlgorithm>,
    /// What is allowed beyond the usual, such as short HMAC secrets.
    pub switches: Switches,
}

/// How a token is decrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct Decryption<K> {
    /// The key.
    pub key: K,
    /// The same key once more, in another form: it must agree. None if there is but one.
    pub also: Option<K>,
    /// The rows of key management and of content encryption; none leaves them to the token and the kind of the key.
    pub algorithms: Option<(&'static KeyAlgorithm, &'static ContentEncryption)>,
    /// What is allowed beyond the usual, such as RSA1_5.
    pub switches: Switches,
}

/// What a claim must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A text that this pattern matches.
    Matching(Pattern),
    /// This text.
    Equal(Expr),
}

/// A token to be opened.
#[derive(Debug)]
pub struct OpenRequest {
    /// The compact token.
    pub token: Text,
    /// What opens the outer layer.
    pub decryption: Option<Decryption<KeyHeld>>,
    /// What must have signed.
    pub verification: Option<Verification<KeyHeld>>,
}

impl<K> Verification<K> {
    /// The same with other keys.
    ///
    /// # Errors
    /// The first that `held` gives.
    pub fn try_map<H, E>(&self, held: impl Fn(&K) -> Result<H, E>) -> Result<Verification<H>, E> {
        let Self { key, also, algorithm, switches } = self;
        let also = also.as_ref().map(&held).transpose()?;
        Ok(Verification { key: held(key)?, also, algorithm: *algorithm, switches: *switches })
    }
}

impl<K> Decryption<K> {
    /// The same with other keys.
    ///
    /// # Errors
    /// The first that `held` gives.
    pub fn try_map<H, E>(&self, held: impl Fn(&K) -> Result<H, E>) -> Result<Decryption<H>, E> {
        let Self { key, also, algorithms, switches } = self;
        let also = also.as_ref().map(&held).transpose()?;
        Ok(Decryption { key: held(key)?, also, algorithms: *algorithms, switches: *switches })
    }
}
