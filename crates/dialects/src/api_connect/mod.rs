//! IBM API Connect definitions: assemblies lowered to the plan, their requests accepted and their outcomes dressed.
//!
//! The contract is `docs/contracts/api-connect.md`; a section named in this module is a section of that contract.

mod accept;
mod catch;
mod client;
mod condition;
mod dress;
mod hosts;
mod invoke;
mod lower;
mod name;
mod policies;
mod portable;
mod render;
mod route;
mod sealed;
mod security;
mod served;
mod shape;
mod survey;
mod syntax;
mod tree;
mod urlopen;
mod values;
pub(crate) mod vocabulary;
mod write;
mod xml;

pub use accept::{Accepted, Around, Exchange, accept};
pub use client::{ClientSecret, Clients};
pub use dress::{Phrase, problem};
pub use invoke::{Invocation, Sent};
pub use lower::{LowerSettings, Lowered, lower};
pub use policies::JWT_GENERATE;
pub use portable::{Portable, portable};
pub use render::{preflight, render};
pub use route::{Called, Found};
pub use served::Api;
pub use survey::{Survey, Unsupported};
pub use syntax::Gateway;
pub use urlopen::granted;
pub(crate) use values::meaning;
pub(crate) use write::write;

/// The media type of an answer that is a text, if nobody says another (section 10).
pub(crate) const TEXT_TYPE: &str = "text/plain";

/// The most octets of a request body (security contract, section 5).
pub const BODY_BYTES_MAX: usize = 5 << 20;

/// The name under which the signer holds the key of a crypto object, or of a pattern of their names (section 6).
pub fn crypto_key(name: &str) -> String {
    policies::given(name)
}

/// Whether a document looks like a definition (section 1).
pub(crate) fn is_definition(octets: &[u8]) -> bool {
    syntax::looks_like_one(octets)
}
