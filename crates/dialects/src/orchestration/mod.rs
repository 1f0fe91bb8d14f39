//! Orchestration flows in their own JSON form: lowered to the plan, their requests accepted and their outcomes dressed.
//!
//! The contract is `docs/contracts/jwt-generator.md`; a section named in this module is a section of that contract. The vendor
//! publishes no form of its own, so the form is ours.

mod accept;
mod debug;
mod lower;
mod nodes;
mod places;
mod render;
mod request;
mod route;
mod schema;
mod steps;
mod syntax;
pub(crate) mod vocabulary;
mod write;

pub use accept::{Around, accept};
pub use debug::{Left, begin, left};
pub use lower::{LowerSettings, Lowered, lower};
pub(crate) use nodes::specs;
pub use render::{problem, render};
pub use request::{HttpRequest, Sent};
pub use route::{Authentication, Endpoint};
pub use schema::schema;
pub(crate) use syntax::CATEGORIES;
pub(crate) use write::write;

/// The media type of an answer that is a text, if nobody says another (section 8).
pub(crate) const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// The most octets of a request body (section 8).
pub const BODY_BYTES_MAX: usize = 256 << 10;

/// Whether a document looks like such a flow (section 8).
pub(crate) fn is_flow(octets: &[u8]) -> bool {
    syntax::looks_like_one(octets)
}
