//! Four vendors' documents, each lowered to the plan, and their requests and replies.

pub mod api_connect;
mod found;
pub mod intent;
pub mod minting;
pub mod node_red;
pub mod orchestration;
pub mod outward;
mod palette;
pub mod spec;
pub mod supertokens;
mod token_form;
mod tokens;

pub use found::{FoundSecret, SecretChange};
use http::Method;
pub use palette::{Listed, palette};
use plan::{Diagnostic, Flow};

/// A dialect, told by the content of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Node-RED flow file.
    NodeRed,
    /// An API definition of IBM API Connect.
    ApiConnect,
    /// An orchestration flow.
    Orchestration,
}

impl Kind {
    /// The name under which documents of this kind are stored and told of.
    pub fn name(self) -> &'static str {
        match self {
            Self::NodeRed => "node-red",
            Self::ApiConnect => "api-connect",
            Self::Orchestration => "orchestration",
        }
    }
}

/// Which dialect a document is written in; none if it is written in no dialect that is known here.
///
/// Only the beginning is looked at, so a document that is told may still be broken further on.
pub fn detect(octets: &[u8]) -> Option<Kind> {
    if orchestration::is_flow(octets) {
        return Some(Kind::Orchestration);
    }
    let is_definition = || api_connect::is_definition(octets).then_some(Kind::ApiConnect);
    node_red::is_flow_file(octets).then_some(Kind::NodeRed).or_else(is_definition)
}

/// What lowering depends on beside the document, for every dialect.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// For flow files.
    pub node_red: node_red::LowerSettings<'a>,
    /// For API definitions.
    pub api_connect: api_connect::LowerSettings<'a>,
    /// For orchestration flows.
    pub orchestration: orchestration::LowerSettings<'a>,
}

/// What a document was lowered to.
#[derive(Clone, Debug)]
pub enum Lowered {
    /// A flow file.
    NodeRed(Box<node_red::Lowered>),
    /// An API definition.
    ApiConnect(Box<api_connect::Lowered>),
    /// An orchestration flow.
    Orchestration(Box<orchestration::Lowered>),
}

/// Lowers a document of this kind.
///
/// # Errors
/// Every diagnostic, if one of them is an error: the document is refused whole.
pub fn lower(kind: Kind, name: &str, octets: &[u8], settings: &Settings<'_>) -> Result<Lowered, Vec<Diagnostic>> {
    Ok(match kind {
        Kind::NodeRed => Lowered::NodeRed(Box::new(node_red::lower(name, octets, &settings.node_red)?)),
        Kind::ApiConnect => Lowered::ApiConnect(Box::new(api_connect::lower(name, octets, &settings.api_connect)?)),
        Kind::Orchestration => {
            Lowered::Orchestration(Box::new(orchestration::lower(name, octets, &settings.orchestration)?))
        }
    })
}

impl Lowered {
    /// The flow.
    pub fn flow(&self) -> &Flow {
        match self {
            Self::NodeRed(lowered) => &lowered.flow,
            Self::ApiConnect(lowered) => &lowered.flow,
            Self::Orchestration(lowered) => &lowered.flow,
        }
    }

    /// What the author should know; none of it is an error.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::NodeRed(lowered) => &lowered.diagnostics,
            Self::ApiConnect(lowered) => &lowered.diagnostics,
            Self::Orchestration(lowered) => &lowered.diagnostics,
        }
    }

    /// Method and path of all that it serves.
    pub fn served(&self) -> Vec<(Method, String)> {
        match self {
            Self::NodeRed(lowered) => {
                lowered.routes.iter().map(|route| (route.method.clone(), route.path.to_string())).collect()
            }
            Self::ApiConnect(lowered) => {
                lowered.api.operations().map(|(method, path)| (method.clone(), path)).collect()
            }
            Self::Orchestration(lowered) => {
                lowered.endpoint.iter().map(|endpoint| (endpoint.method.clone(), endpoint.path.to_string())).collect()
            }
        }
    }
}
