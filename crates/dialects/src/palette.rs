//! Every node type of every dialect, for whoever draws palettes and forms (docs/contracts/studio.md section 2).

use crate::spec::NodeSpec;
use crate::{api_connect, node_red, orchestration};

/// A node type, where its dialect offers it.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// The dialect: `node-red`, `orchestration` or `api-connect`.
    pub dialect: &'static str,
    /// What it is called in the palette.
    pub label: &'static str,
    /// The categories of flows that may hold it; none where flows have no categories.
    pub flows: &'static [&'static str],
    /// How it describes itself.
    pub spec: &'static NodeSpec,
}

/// Every node type, dialect by dialect.
pub fn palette() -> impl Iterator<Item = Listed> {
    let of_node_red = node_red::specs().map(|spec| Listed { dialect: "node-red", label: spec.kind, flows: &[], spec });
    let of_flows = orchestration::specs().map(|(label, spec)| {
        let flows = orchestration::CATEGORIES;
        Listed { dialect: "orchestration", label, flows, spec }
    });
    let spec = &api_connect::JWT_GENERATE;
    let of_assemblies = std::iter::once(Listed { dialect: "api-connect", label: spec.kind, flows: &[], spec });
    of_node_red.chain(of_flows).chain(of_assemblies)
}
