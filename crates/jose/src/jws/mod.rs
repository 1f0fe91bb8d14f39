//! JSON Web Signature (RFC 7515): compact, flattened, general and detached, written and read.

mod detached;
mod json;
mod sign;
mod template;
mod unsigned;
mod verify;

pub use crate::header_plan::{HeaderMember, HeaderPlan, ProtectedHeader};
pub use json::{Held, JsonReport, Quorum, SIGNATURES_MAX, SignatureReport, sign_general, to_flattened, to_general};
pub use sign::{MINT_CHARS_MAX, Remote, signing_input};
pub use template::Template;
pub use unsigned::write_unsigned;
pub use verify::{CANDIDATE_KEYS_MAX, Keys, Verified, Verifier};

/// Most characters of a token that is read.
pub const TOKEN_CHARS_MAX: usize = 65_536;
