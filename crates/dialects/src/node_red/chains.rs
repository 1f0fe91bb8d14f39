//! Nodes that do several ops one behind the other: the further ones stand behind all nodes of the document.

use std::sync::Arc;

use plan::{Handler, Handlers, Node, NodeIx, Op, ShapeStep, Wire};

/// What follows on the first op of a node.
pub(super) struct Behind {
    /// The further ops.
    pub(super) ops: [Op; 2],
    /// How a message is dressed that fails.
    pub(super) failed: Arc<[ShapeStep]>,
}

/// Puts the further ops of each chain between its first one and where that leads. A message that fails takes these wires;
/// without any it is left to catch nodes.
pub(super) fn wire(nodes: &mut Vec<Node>, chains: Vec<(NodeIx, Vec<Wire>, Behind)>) {
    for (first, failing, Behind { ops: [second, third], failed }) in chains {
        let at = first.0 as usize;
        if !failing.is_empty() {
            let handlers = failing.into_iter().map(|node| Handler { node, dress: Arc::clone(&failed) });
            nodes[at].on_error = Handlers([handlers.collect()].into());
        }
        let done = std::mem::take(&mut nodes[at].on_done);
        let outputs = std::mem::take(&mut nodes[at].outputs);
        let third = Node { op: third, outputs, on_done: done, ..nodes[at].clone() };
        let third = push(nodes, third);
        let second = Node { op: second, outputs: vec![vec![third]], ..nodes[at].clone() };
        nodes[at].outputs = vec![vec![push(nodes, second)]];
    }
}

fn push(nodes: &mut Vec<Node>, node: Node) -> NodeIx {
    nodes.push(node);
    NodeIx(u32::try_from(nodes.len() - 1).expect("a document holds at most 2 000 000 values"))
}
