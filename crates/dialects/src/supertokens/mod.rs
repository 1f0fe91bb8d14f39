//! The SuperTokens core interface: a dialect whose program is the request itself.
//!
//! The contract is `docs/contracts/supertokens.md`; a section named in this module is a section of that contract. A
//! request is admitted in the order of section 3.1 ([`Rules::admit`]), its body read ([`CreateJwt::read`]), and lowered to a
//! token plan in which everything is literal ([`lower`]). What comes of it is dressed by [`Refusal`] and [`render`].

mod accept;
mod address;
mod lower;
mod refusal;
pub mod render;
mod syntax;
mod version;
pub(crate) mod vocabulary;
mod write;

pub use accept::{Admitted, Pass, Rules, shown_key};
pub use address::{Address, Endpoint, PUBLIC, is_app_name};
pub use lower::{cut, end_secs, header, lower};
pub use refusal::Refusal;
pub use syntax::{CreateJwt, KeyKind};
pub use version::{Version, Versions};
pub(crate) use write::write;
