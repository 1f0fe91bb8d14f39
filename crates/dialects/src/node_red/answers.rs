//! The answers that functions give by themselves: `msg.res.send` and its like (section 11).

use plan::{Handlers, NodeIx, Op, ReplyIx};

use super::lower::Live;

/// The functions that may answer, each over an output that its author does not see.
#[derive(Default)]
pub(super) struct Answers(Vec<Answer>);

struct Answer {
    function: NodeIx,
    output: usize,
    node: plan::Node,
}

impl Answers {
    /// This output of a function answers with that reply; faults of it are the function's.
    pub(super) fn add(&mut self, live: &Live, function: NodeIx, output: usize, reply: ReplyIx) {
        let on_error = live.handling.on_error.clone();
        let (on_done, on_status) = (Handlers::default(), Handlers::default());
        let op = Op::Reply(reply);
        let node = plan::Node { op, origin: live.origin, outputs: Vec::new(), on_error, on_done, on_status };
        self.0.push(Answer { function, output, node });
    }

    /// Puts the nodes that answer behind those of the document.
    pub(super) fn wire(self, nodes: &mut Vec<plan::Node>) {
        for Answer { function, output, node } in self.0 {
            let answering = next(nodes);
            nodes.push(node);
            let outputs = &mut nodes[function.0 as usize].outputs;
            outputs.resize(output, Vec::new());
            outputs.push(vec![answering]);
        }
    }
}

/// The place of the node that is added next.
pub(super) fn next(nodes: &[plan::Node]) -> NodeIx {
    NodeIx(u32::try_from(nodes.len()).expect("a document holds at most 2 000 000 values"))
}
