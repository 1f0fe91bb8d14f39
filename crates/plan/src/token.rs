//! What a token shall hold, and what is asked of one: compiled once at deploy, used for every message.

use std::collections::BTreeMap;

use jose::jwa::{SignatureAlgorithm, Switches};

use crate::effect::Fault;
use crate::expr::Expr;
use crate::json::JsonRules;
use crate::op::ShapeStep;
use crate::value::{Text, Value};

/// What a token shall hold.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenPlan {
    /// The row that signs.
    pub algorithm: &'static SignatureAlgorithm,
    /// What is allowed beyond the usual, such as short HMAC secrets.
    pub switches: Switches,
    /// Members of the JOSE header, in order.
    pub header: Vec<HeaderMember>,
    /// Claims, in order.
    pub claims: Vec<ClaimPlan>,
    /// The span from `iat` to `exp`.
    pub lifetime: Lifetime,
    /// The key that signs.
    pub key: KeySource,
}

/// One member of a JOSE header (RFC 7515 section 4.1).
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderMember {
    /// `alg`, the name of the plan's row.
    Algorithm,
    /// `typ`, as given.
    Type(Text),
    /// `kid`, the signing key's own; left out if it has none.
    KeyId,
    /// `kid`, as given, whatever the signing key's own is: at most 256 octets without control characters.
    KeyIdNamed(Text),
    /// A further member.
    Constant(Text, Value),
}

/// One claim, in its place.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimPlan {
    /// A claim known when the flow was lowered.
    Constant(Text, Value),
    /// A claim read from the message.
    From {
        /// The claim's name.
        name: Text,
        /// Where its value comes from.
        value: Expr,
        /// What happens if it is undefined.
        absent: AbsentClaim,
    },
    /// The members of a map that the message brings along, each a claim, in their order.
    ///
    /// A given `iat` that is a number other than zero stays as it is; any other empty one becomes the instant of
    /// minting, in its place. Times that are no NumericDate are a fault, and so is a value that is no map.
    Given {
        /// Where the map comes from.
        of: Expr,
        /// What happens to a given claim that the plan writes, too.
        clash: Clash,
    },
    /// `iat`: the instant of minting in whole seconds (RFC 7519 section 4.1.6).
    IssuedAt,
    /// `exp`: `iat` plus the lifetime, cut to what the key allows (RFC 7519 section 4.1.4).
    Expires,
}

/// What happens to a claim that both the message and the plan would write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// [`FaultKind::ClaimsInvalid`](crate::FaultKind::ClaimsInvalid) is raised. `exp` counts from a given `iat`.
    Refuse,
    /// The plan's value takes the place of the given one. `exp` counts from the instant of minting.
    Replace,
    /// The plan's value stays where the plan writes it and the given one is left out, with a warning; given times may be
    /// anything. `exp` counts from the instant of minting.
    Drop,
}

/// What happens when a claim has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum AbsentClaim {
    /// The claim is left out.
    LeaveOut,
    /// The claim is left out, and this told to the log as a warning.
    Warn(Text),
    /// The fault is raised.
    Raise(Box<Fault>),
}

/// The span from `iat` to `exp`.
#[derive(Clone, Debug, PartialEq)]
pub enum Lifetime {
    /// Seconds; zero or less makes a token that is dead already.
    Seconds(i64),
    /// `exp` is this instant, in seconds since 1970, whenever the token is minted.
    Until(i64),
    /// What the message asks for: a number above zero is whole seconds, digits as text are milliseconds. Another
    /// number or text asks for a token without `exp`.
    Asked {
        /// Where the wish comes from.
        by: Expr,
        /// Seconds, if the message asks for nothing: no value, `null`, `false`, zero or an empty text.
        otherwise_secs: i64,
    },
    /// No `exp` at all.
    Unbounded,
}

/// Where a key comes from. No key stands in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A secret of the document, looked up when it is used; its text is an HMAC secret or a PEM key.
    Secret(SecretRef),
    /// A key that whoever drives the engine was given beside the plan, by its name there.
    Given(Text),
    /// A variable of the process, read when it is used; its text is an HMAC secret or a PEM key.
    Variable(Text),
}

/// Names a secret of a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretRef {
    /// The author's id of the node that owns it.
    pub owner: Text,
    /// The name of its field.
    pub field: Text,
}

/// What is asked of a token. There is no default list of algorithms: the caller's own is always needed.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyPlan {
    /// Where the compact token comes from; undefined counts as a token that does not hold.
    pub token: Expr,
    /// The rows that may have signed; never empty in a valid flow.
    pub algorithms: Vec<&'static SignatureAlgorithm>,
    /// What is allowed beyond the usual, such as short HMAC secrets.
    pub switches: Switches,
    /// The key that must have signed.
    pub key: KeySource,
    /// What is asked of `exp`, `nbf` and `iat`.
    pub times: ExpiryRules,
    /// The audience that `aud` must name (RFC 7519 section 4.1.3); none if that is not asked.
    pub audience: Option<Text>,
    /// A claim that must be a list, and a text that must stand in it; none if that is not asked.
    pub listed: Option<(Text, Text)>,
    /// How the claims become a value.
    pub claims: JsonRules,
    /// Whether claims that are no map (RFC 7519 section 7.2 asks for one) are taken as having no members; `null` never is.
    pub any_claims: bool,
    /// What is done with the message before the token is looked for.
    pub prepare: Vec<ShapeStep>,
    /// What becomes of a message by the flaw of its token; with a flaw that is not named it goes over output 1 as it is.
    pub refused: BTreeMap<TokenFlaw, Refused>,
}

/// Why a token does not hold, in the order in which it is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenFlaw {
    /// There is none: nothing, `null`, `false`, zero or an empty text.
    Absent,
    /// What stands in its place is no text.
    NotText,
    /// It has not as many parts as a compact JWS (RFC 7515 section 7.1), or is too long.
    Malformed,
    /// Its header or claims are not what RFC 7515 and RFC 7519 ask for.
    Undecodable,
    /// Its signature is empty.
    Unsigned,
    /// Its algorithm is none of the policy's.
    Algorithm,
    /// It is encrypted where it must not be, or not where it must, or what is encrypted is not what is asked for.
    Nesting,
    /// It cannot be decrypted.
    Undecryptable,
    /// Its signature does not hold.
    Signature,
    /// `nbf` is no NumericDate.
    NotBeforeInvalid,
    /// `nbf` or `iat` lies ahead.
    NotYet,
    /// `exp` is no NumericDate, or is missing where it is required.
    ExpiryInvalid,
    /// `exp` has passed.
    Expired,
    /// A claim that must be there is missing.
    ClaimAbsent,
    /// `iss` is not the policy's issuer.
    Issuer,
    /// `aud` does not name the policy's audience.
    Audience,
    /// The claim that must be a list is none.
    ListAbsent,
    /// The text that must stand in the list does not.
    Unlisted,
}

/// What becomes of a message whose token does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Steps that change the message; the only event they know is [`EventField::Instant`](crate::EventField::Instant).
    pub dress: Vec<ShapeStep>,
    /// Where it goes then.
    pub then: AfterRefusal,
}

/// Where a message goes whose token does not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum AfterRefusal {
    /// Over this output, 0 or 1.
    Send(usize),
    /// To the handlers of faults, as [`FaultKind::TokenRefused`](crate::FaultKind::TokenRefused) with this message.
    Raise(Expr),
}

/// What is asked of the times in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiryRules {
    /// Whether a token without `exp` is refused.
    pub exp_required: bool,
    /// Whether an `iat` ahead of now refuses the token.
    pub iat_checked: bool,
    /// Tolerance for `exp`, `nbf` and `iat`, 0 to 300 seconds.
    pub leeway_secs: u16,
}

impl TokenFlaw {
    /// Its name, for handlers of faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::NotText => "not_text",
            Self::Malformed => "malformed",
            Self::Undecodable => "undecodable",
            Self::Unsigned => "unsigned",
            Self::Algorithm => "algorithm",
            Self::Nesting => "nesting",
            Self::Undecryptable => "undecryptable",
            Self::Signature => "signature",
            Self::NotBeforeInvalid => "nbf_invalid",
            Self::NotYet => "not_yet",
            Self::ExpiryInvalid => "exp_invalid",
            Self::Expired => "expired",
            Self::ClaimAbsent => "claim_absent",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::ListAbsent => "list_absent",
            Self::Unlisted => "unlisted",
        }
    }
}

impl ClaimPlan {
    /// The name of the one claim that this is; none for those that the message brings along.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Constant(name, _) | Self::From { name, .. } => Some(name),
            Self::IssuedAt => Some("iat"),
            Self::Expires => Some("exp"),
            Self::Given { .. } => None,
        }
    }
}
