//! JSON Web Signature (RFC 7515): compact serialization, written and read.

mod sign;
mod verify;

pub use crate::header_plan::{HeaderMember, HeaderPlan, ProtectedHeader};
pub use sign::{MINT_CHARS_MAX, Remote, signing_input};
pub use verify::{CANDIDATE_KEYS_MAX, Keys, Verified, Verifier};

/// Most characters of a token that is read.
pub const TOKEN_CHARS_MAX: usize = 65_536;
