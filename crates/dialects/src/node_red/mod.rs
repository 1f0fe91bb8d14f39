//! Node-RED flows: lowered to the plan, their requests accepted and their outcomes dressed.
//!
//! The contract is `docs/contracts/node-red.md`; a section named in this module is a section of that contract.

mod accept;
mod answers;
mod chains;
mod credentials;
mod environment;
mod events;
mod faults;
mod formats;
mod http_date;
mod jsonata;
mod links;
mod lower;
mod lowered;
mod nodes;
mod number;
mod property;
mod received;
mod render;
mod request;
mod sections;
mod shape;
mod subflows;
mod surface;
mod syntax;
mod timespan;
mod typed;
pub(crate) mod vocabulary;
mod write;

pub use accept::{Accepted, BODY_BYTES_MAX, Exchange, Found, Pattern, Peer, RouteTable, accept, message_id};
pub use credentials::{Credentials, CredentialsError, runtime_secret};
pub use environment::reference;
pub use lower::lower;
pub use lowered::{LowerSettings, Lowered, ResponseNode, Route, Serve};
pub use property::variable as variable_path;
pub use render::pages::{RETRY_AFTER_SECS, Unanswered, not_found, options, refused, unanswered};
pub use render::{Rendered, render};
pub use request::{HeaderPart, MethodOfMessage, PayloadOfGet, Prepared, RequestNode, Returns, Scheme, Sent, prepare};

pub(crate) use nodes::specs;
pub(crate) use write::write;

use crate::spec::NodeSpec;

/// The media type of an answer that is a text, if nobody says another (section 11).
pub(crate) const TEXT_TYPE: &str = "text/html; charset=utf-8";

/// Every node type that runs here, as it describes itself.
pub fn palette() -> impl Iterator<Item = &'static NodeSpec> {
    nodes::TYPES.iter().map(|kind| &kind.spec)
}

/// Whether a document begins like a flow file (section 7).
pub(crate) fn is_flow_file(octets: &[u8]) -> bool {
    syntax::begins_like_a_flow_file(octets)
}
