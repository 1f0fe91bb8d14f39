//! What a token shall hold, and what is asked of one: compiled once at deploy, used for every message.

use jose::jwa::{SignatureAlgorithm, Switches};

use crate::effect::Fault;
use crate::expr::Expr;
use crate::json::JsonRules;
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
    /// `iat`: the instant of minting in whole seconds (RFC 7519 section 4.1.6).
    IssuedAt,
    /// `exp`: `iat` plus the lifetime, cut to what the key allows (RFC 7519 section 4.1.4).
    Expires,
}

/// What happens when a claim has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum AbsentClaim {
    /// The claim is left out.
    LeaveOut,
    /// The fault is raised.
    Raise(Box<Fault>),
}

/// The span from `iat` to `exp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Seconds; zero or less makes a token that is dead already.
    Seconds(i64),
    /// `exp` is this instant, in seconds since 1970, whenever the token is minted.
    Until(i64),
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
    /// How the claims become a value.
    pub claims: JsonRules,
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
