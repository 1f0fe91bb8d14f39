//! The node types, one file each; a new one adds its two lines here.

mod basic;
mod basic_config;
mod bcrypt;
mod catch;
mod change;
mod comment;
mod complete;
mod csv;
mod debug;
mod decode;
mod delay;
mod file_in;
mod function;
mod group;
mod http_in;
mod http_request;
mod http_response;
mod inject;
mod join;
mod json;
mod junction;
mod jwt;
mod jwt_conf;
mod jwt_config;
mod jwt_families;
mod jwt_generator;
mod jwt_sign;
mod jwt_verify;
mod link_call;
mod link_in;
mod link_out;
mod range;
mod split;
mod status;
mod subflow;
mod switch;
mod tab;
mod template;
mod xml;
mod yaml;

use plan::{Op, TriggerKind};

use super::chains::Behind;
use super::events::Event;
use super::lower::{Live, Lowering};
use super::lowered::Route;
use super::syntax::Node;
use crate::spec::NodeSpec;

pub(super) use jwt::{ALGORITHM_UNSUPPORTED, EXPIRESIN_INVALID};
pub(super) use jwt_families::open_secret;

/// Every node type that runs here.
pub(super) static TYPES: &[&NodeType] = &[
    &basic::TYPE,
    &basic_config::TYPE,
    &bcrypt::TYPE,
    &catch::TYPE,
    &change::TYPE,
    &comment::TYPE,
    &complete::TYPE,
    &csv::TYPE,
    &debug::TYPE,
    &decode::TYPE,
    &delay::TYPE,
    &file_in::TYPE,
    &function::TYPE,
    &group::TYPE,
    &http_in::TYPE,
    &http_request::TYPE,
    &http_response::TYPE,
    &inject::TYPE,
    &join::TYPE,
    &json::TYPE,
    &junction::TYPE,
    &jwt::TYPE,
    &jwt_conf::TYPE,
    &jwt_config::TYPE,
    &jwt_generator::TYPE,
    &jwt_sign::TYPE,
    &jwt_verify::TYPE,
    &link_call::TYPE,
    &link_in::TYPE,
    &link_out::TYPE,
    &range::TYPE,
    &split::TYPE,
    &status::TYPE,
    &subflow::TYPE,
    &switch::TYPE,
    &tab::TYPE,
    &template::TYPE,
    &xml::TYPE,
    &yaml::TYPE,
];

/// Every node type's description.
pub(crate) fn specs() -> impl Iterator<Item = &'static NodeSpec> {
    TYPES.iter().map(|kind| &kind.spec)
}

/// A node type: how it describes itself, and what it becomes.
pub(super) struct NodeType {
    /// How it describes itself.
    pub(super) spec: NodeSpec,
    /// What becomes of its nodes.
    pub(super) lower: Lower,
}

/// What becomes of a node.
pub(super) enum Lower {
    /// It does one op with each message.
    Op(fn(&mut Lowering<'_>, &Live) -> Op),
    /// It does three ops with each message, one behind the other; output 1 takes those that fail.
    Chain(fn(&mut Lowering<'_>, &Live) -> (Op, Option<Behind>)),
    /// It sends messages by itself; none if it never does.
    Schedule(fn(&mut Lowering<'_>, &Live) -> Option<TriggerKind>),
    /// Requests enter through it; none if it has no path.
    Route(fn(&mut Lowering<'_>, &Node) -> Option<Route>),
    /// It passes on what it hears of other nodes.
    Listener(Event),
    /// It is there for people, or for other nodes to refer to.
    Nothing,
}

/// Why a node cannot run, so that its tab stops.
pub(super) struct Obstacle {
    /// The code of the diagnostic.
    pub(super) code: &'static str,
    /// What is wrong, without the full stop.
    pub(super) message: String,
    /// What to do next.
    pub(super) hint: &'static str,
}

impl Lower {
    /// Whether messages reach it over wires.
    pub(super) fn is_op(&self) -> bool {
        match self {
            Self::Op(_) | Self::Chain(_) | Self::Listener(_) => true,
            Self::Schedule(_) | Self::Route(_) | Self::Nothing => false,
        }
    }
}

/// The node type of that name.
pub(super) fn find(kind: &str) -> Option<&'static NodeType> {
    let kind = if kind.starts_with(subflow::TYPE.spec.kind) { subflow::TYPE.spec.kind } else { kind };
    TYPES.iter().find(|known| known.spec.kind == kind).copied()
}

/// What stands against running this node, if anything does (section 16).
pub(super) fn obstacle(node: &Node) -> Option<Obstacle> {
    match &*node.kind {
        "exec" => Some(Obstacle {
            code: "missing_type",
            message: "A node of type `exec` starts programs on the host, which no flow may do here".to_owned(),
            hint: "Remove the node, or do its work in a function node.",
        }),
        "subflow" => None,
        "function" => function::obstacle(node),
        "jwt sign" | "jwt verify" => jwt_families::obstacle(node),
        kind => find(kind).is_none().then(|| Obstacle {
            code: "missing_type",
            message: format!("There is no node type `{kind}` here"),
            hint: "Replace the node by one that is known here, or disable it.",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Outputs;

    #[test]
    fn every_type_describes_itself_and_stands_in_the_list_once() {
        for (at, kind) in TYPES.iter().enumerate() {
            let spec = &kind.spec;
            assert!(spec.summary.ends_with('.') && !spec.category.is_empty(), "{}", spec.kind);
            assert!(spec.colour.starts_with('#') && spec.colour.len() == 7, "{}", spec.kind);
            assert!(TYPES[..at].iter().all(|other| other.spec.kind != spec.kind), "{} twice", spec.kind);
            for (at, field) in spec.fields.iter().enumerate() {
                assert!(field.summary.ends_with('.') && !field.label.is_empty(), "{}.{}", spec.kind, field.name);
                assert!(spec.fields[..at].iter().all(|other| other.name != field.name), "{}.{}", spec.kind, field.name);
            }
            if let Outputs::Field(name) = spec.outputs {
                assert!(spec.fields.iter().any(|field| field.name == name), "{}", spec.kind);
            }
            let wired = matches!(kind.lower, Lower::Op(_) | Lower::Chain(_)) && spec.kind != "link in";
            assert_eq!(spec.inputs == 1, wired, "{}", spec.kind);
        }
    }
}
