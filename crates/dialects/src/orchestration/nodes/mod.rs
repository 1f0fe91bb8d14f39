//! The nodes of flows, one file each.

mod condition;
mod end;
mod http_request;
mod jwt_generator;
mod jwt_verifier;
mod library_flow;
mod script;
mod set_variable;
mod start;

use super::lower::{Live, Lowering};
use crate::spec::NodeSpec;

/// Every node type.
pub(super) const TYPES: &[&NodeType] = &[
    &start::TYPE,
    &jwt_generator::TYPE,
    &jwt_verifier::TYPE,
    &condition::TYPE,
    &script::TYPE,
    &http_request::TYPE,
    &set_variable::TYPE,
    &library_flow::TYPE,
    &end::SUCCESS,
    &end::FAILURE,
];

/// A node type: how it describes itself, and what it becomes.
pub(super) struct NodeType {
    /// What it is called on the canvas.
    pub(super) label: &'static str,
    /// How it describes itself.
    pub(super) spec: NodeSpec,
    /// Lowers a node of this type.
    pub(super) lower: for<'d> fn(&mut Lowering<'d>, &Live<'_, 'd>),
}

/// Every node type's label and description.
pub(crate) fn specs() -> impl Iterator<Item = (&'static str, &'static NodeSpec)> {
    TYPES.iter().map(|kind| (kind.label, &kind.spec))
}

/// The node type of that name.
pub(super) fn find(kind: &str) -> Option<&'static NodeType> {
    TYPES.iter().find(|known| known.spec.kind == kind).copied()
}
