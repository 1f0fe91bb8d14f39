//! What can go wrong, one variant for each code of the contract; none holds a key, a secret or a payload.

use std::borrow::Cow;

use crate::{RandomError, base64url::Base64UrlError, json::JsonError};

type Text = Cow<'static, str>;

/// Why a key, a token or a wish was refused.
///
/// Outside, every fault of a token is one text; the variant is for the log and for the author of a flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Beyond a named bound.
    #[error("{what} is larger than {max} {unit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The bound.
        max: usize,
        /// What the bound counts.
        unit: &'static str,
    },
    /// Not of the form the standard asks for.
    #[error("{what}")]
    Malformed {
        /// What is not well formed, as a sentence.
        what: Text,
        /// Where, if the fault is one of JSON.
        json: Option<JsonError>,
    },
    /// A header member is missing, of the wrong type or contradicts something.
    #[error("header member `{member}` {why}")]
    Header {
        /// The member.
        member: Text,
        /// The fault, to be read after the name.
        why: Text,
    },
    /// `crit` (RFC 7515 section 4.1.11) cannot be honoured.
    #[error("header member `crit`: {why}")]
    Critical {
        /// The fault.
        why: Text,
    },
    /// A known algorithm that nobody allowed here.
    #[error("{what} is not allowed: {why}")]
    NotAllowed {
        /// The algorithm or feature.
        what: Text,
        /// Who would have to allow it, and how.
        why: Text,
    },
    /// A name or form that Chancery does not know or does not offer.
    #[error("{what} is not supported{}{why}", if why.is_empty() { "" } else { ": " })]
    Unsupported {
        /// The name or form.
        what: Text,
        /// More about it; may be empty.
        why: Text,
    },
    /// Not a key, or one that no algorithm should be used with.
    #[error("key member `{member}` {why}")]
    KeyInvalid {
        /// The member, as a JWK names it, or the form of the key (`PEM`, `DER`).
        member: Text,
        /// The fault, to be read after the name.
        why: Text,
    },
    /// A good key that does not fit the algorithm or the use.
    #[error("the key does not fit: {why}")]
    KeyUnfit {
        /// What does not fit.
        why: Text,
    },
    /// No key for the `kid` and algorithm that are asked for.
    #[error("no key: {why}")]
    NoKey {
        /// What was looked for.
        why: Text,
    },
    /// The signature or MAC does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// The token cannot be decrypted; every cause gives this one answer.
    #[error("the token cannot be decrypted")]
    CannotDecrypt,
    /// A claim that the policy requires is absent.
    #[error("claim `{claim}` is missing")]
    ClaimMissing {
        /// The claim.
        claim: Text,
    },
    /// A claim has another type or range than RFC 7519 gives it.
    #[error("claim `{claim}` must be {expected}")]
    ClaimType {
        /// The claim.
        claim: Text,
        /// What it must be.
        expected: &'static str,
    },
    /// `exp` has passed, or the token is older than `max_age`.
    #[error("the token has expired (claim `{claim}`)")]
    Expired {
        /// `exp`, or `iat` when `max_age` ended it.
        claim: &'static str,
    },
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet (claim `{claim}`)")]
    NotYet {
        /// `nbf` or `iat`.
        claim: &'static str,
    },
    /// `iss` is none of those expected.
    #[error("claim `iss` is not the expected issuer")]
    Issuer,
    /// `aud` names none of the audiences expected.
    #[error("claim `aud` names no expected audience")]
    Audience,
    /// `typ`, `cty`, `sub` or `jti` differs from what the policy asks for.
    #[error("`{member}` is not what was expected")]
    WrongType {
        /// The header member or claim that differs.
        member: &'static str,
    },
    /// Layers are nested too deep, or not as the policy asks.
    #[error("{why}")]
    Nesting {
        /// The fault, as a sentence.
        why: &'static str,
    },
    /// The source of random octets failed.
    #[error("the source of random octets failed")]
    Random,
    /// What was made did not pass its own check; nothing of it leaves.
    #[error("self-check failed: {why}")]
    SelfCheck {
        /// Which check.
        why: &'static str,
    },
}

impl Error {
    /// The code of the contract, such as `bad_signature`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
            Self::Header { .. } => "header",
            Self::Critical { .. } => "critical",
            Self::NotAllowed { .. } => "not_allowed",
            Self::Unsupported { .. } => "unsupported",
            Self::KeyInvalid { .. } => "key_invalid",
            Self::KeyUnfit { .. } => "key_unfit",
            Self::NoKey { .. } => "no_key",
            Self::BadSignature => "bad_signature",
            Self::CannotDecrypt => "cannot_decrypt",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::ClaimType { .. } => "claim_type",
            Self::Expired { .. } => "expired",
            Self::NotYet { .. } => "not_yet",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::WrongType { .. } => "wrong_type",
            Self::Nesting { .. } => "nesting",
            Self::Random => "random",
            Self::SelfCheck { .. } => "self_check",
        }
    }

    pub(crate) fn malformed(what: impl Into<Text>) -> Self {
        Self::Malformed { what: what.into(), json: None }
    }

    pub(crate) fn header(member: impl Into<Text>, why: impl Into<Text>) -> Self {
        Self::Header { member: member.into(), why: why.into() }
    }

    pub(crate) fn critical(why: impl Into<Text>) -> Self {
        Self::Critical { why: why.into() }
    }

    pub(crate) fn key_invalid(member: impl Into<Text>, why: impl Into<Text>) -> Self {
        Self::KeyInvalid { member: member.into(), why: why.into() }
    }

    pub(crate) fn key_unfit(why: impl Into<Text>) -> Self {
        Self::KeyUnfit { why: why.into() }
    }

    pub(crate) fn unsupported(what: impl Into<Text>, why: impl Into<Text>) -> Self {
        Self::Unsupported { what: what.into(), why: why.into() }
    }

    pub(crate) fn not_allowed(what: impl Into<Text>, why: impl Into<Text>) -> Self {
        Self::NotAllowed { what: what.into(), why: why.into() }
    }
}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::Malformed { what: Text::Owned(format!("the JSON is not well formed: {error}")), json: Some(error) }
    }
}

impl From<Base64UrlError> for Error {
    fn from(error: Base64UrlError) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<RandomError> for Error {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
