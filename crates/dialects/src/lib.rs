//! Four vendors' documents, each lowered to the plan, and their requests and replies.

pub mod api_connect;
pub mod node_red;
pub mod outward;
pub mod spec;
pub mod supertokens;

/// A dialect, told by the content of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Node-RED flow file.
    NodeRed,
}

impl Kind {
    /// The name under which documents of this kind are stored and told of.
    pub fn name(self) -> &'static str {
        match self {
            Self::NodeRed => "node-red",
        }
    }
}

/// Which dialect a document is written in; none if it is written in no dialect that is known here.
///
/// Only the beginning is looked at, so a document that is told may still be broken further on.
pub fn detect(octets: &[u8]) -> Option<Kind> {
    node_red::is_flow_file(octets).then_some(Kind::NodeRed)
}
