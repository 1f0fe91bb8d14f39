//! The one door from a flow to a valid flow: every index leads somewhere and every op has what it needs.

use std::ops::Deref;
use std::sync::Arc;

use jose::jwa::{SignatureAlgorithm, Switches};

use crate::branch::Test;
use crate::expr::Expr;
use crate::flow::{Flow, Handlers, Node, NodeIx, ScriptIx};
use crate::op::{Callee, Op, ShapeStep};
use crate::token::{AfterRefusal, VerifyPlan};

/// The largest leeway, in seconds (security contract, section 7).
const LEEWAY_SECS_MAX: u16 = 300;

/// A flow of which [`validate()`] holds: the engine runs it without ever finding a hole in it.
#[derive(Clone, Debug)]
pub struct ValidFlow(Arc<Flow>);

/// A hole in a flow. Dialects do not make any, so this is for whoever writes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where in the flow, as `nodes[3]`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Deref for ValidFlow {
    type Target = Flow;

    fn deref(&self) -> &Flow {
        &self.0
    }
}

/// Makes a flow valid, or says what stands against it.
///
/// A valid flow is one in which every index names something, every wire and handler leads to a node, every node has no
/// more outputs than its op serves, a shape ends at its first drop, and every policy names at least one
/// algorithm, and every algorithm that is named may be used.
///
/// # Errors
///
/// Every [`Flaw`] that was found, in the order of the flow.
pub fn validate(flow: Flow) -> Result<ValidFlow, Vec<Flaw>> {
    let mut found = Findings { flow: &flow, flaws: Vec::new() };
    for (at, node) in flow.nodes.iter().enumerate() {
        found.node(&format!("nodes[{at}]"), node);
    }
    for (at, trigger) in flow.triggers.iter().enumerate() {
        let place = format!("triggers[{at}]");
        found.index(&place, "origin", trigger.origin.0, flow.origins.len());
        found.wires(&place, &trigger.wires);
    }
    for (at, script) in flow.scripts.iter().enumerate() {
        found.index(&format!("scripts[{at}]"), "origin", script.origin.0, flow.origins.len());
    }
    for (at, expression) in flow.expressions.iter().enumerate() {
        found.index(&format!("expressions[{at}]"), "origin", expression.origin.0, flow.origins.len());
    }
    for (at, token) in flow.tokens.iter().enumerate() {
        found.permitted(&format!("tokens[{at}]"), token.algorithm, token.switches);
    }
    for (at, policy) in flow.policies.iter().enumerate() {
        found.policy(&format!("policies[{at}]"), policy);
    }
    if found.flaws.is_empty() { Ok(ValidFlow(Arc::new(flow))) } else { Err(found.flaws) }
}

struct Findings<'f> {
    flow: &'f Flow,
    flaws: Vec<Flaw>,
}

impl Findings<'_> {
    fn node(&mut self, place: &str, node: &Node) {
        self.index(place, "origin", node.origin.0, self.flow.origins.len());
        self.op(place, &node.op);
        if let Some(served) = node.op.outputs()
            && node.outputs.len() > served
        {
            self.flaw(place, format!("{} outputs, but its op serves {served}", node.outputs.len()));
        }
        for wires in &node.outputs {
            self.wires(place, wires);
        }
        for handlers in [&node.on_error, &node.on_done, &node.on_status] {
            self.handlers(place, handlers);
        }
    }

    fn op(&mut self, place: &str, op: &Op) {
        match op {
            Op::Shape { steps, otherwise } => {
                self.steps(place, steps);
                self.script(place, *otherwise);
            }
            Op::Assign(steps) => self.steps(place, steps),
            Op::Script(script) => self.script(place, *script),
            Op::Issue { token, .. } => self.index(place, "token", token.0, self.flow.tokens.len()),
            Op::Verify { policy, .. } => self.index(place, "policy", policy.0, self.flow.policies.len()),
            Op::Reply(reply) => self.index(place, "reply", reply.0, self.flow.replies as usize),
            Op::Fetch { fetch, .. } => self.index(place, "fetch", fetch.0, self.flow.fetches as usize),
            Op::Call { callee, timeout_ms, .. } => {
                if *timeout_ms == 0 {
                    self.flaw(place, "a call has no time at all".into());
                }
                match callee {
                    Callee::Node(node) => self.wires(place, &[*node]),
                    Callee::Named { nodes, .. } => nodes.values().for_each(|nodes| self.wires(place, nodes)),
                }
            }
            Op::Seal { plan, .. } if plan.unsecured != (plan.signature.is_none() && plan.encryption.is_none()) => {
                let why = if plan.unsecured {
                    "an unsecured token has a key"
                } else {
                    "a token is neither signed nor encrypted"
                };
                self.flaw(place, why.into());
            }
            Op::Open { plan, .. } if plan.verification.is_none() && plan.decryption.is_none() => {
                self.flaw(place, "a token is opened without any key".into());
            }
            Op::Open { plan, .. } if plan.times.leeway_secs > LEEWAY_SECS_MAX => {
                self.flaw(place, "the leeway is larger than 300 seconds".into());
            }
            Op::Seal { .. } | Op::Open { .. } => {}
            Op::Edit(edits) => self.expressions(place, edits.iter().map(|edit| &edit.value)),
            Op::Each { items, .. } => self.expressions(place, std::iter::once(items)),
            Op::Branch(plan) => {
                let operands = plan.tests.iter().flat_map(Test::operands);
                self.expressions(place, std::iter::once(&plan.on).chain(operands));
            }
            Op::Log { value, .. } => self.expressions(place, std::iter::once(value)),
            Op::Pass | Op::Hold(_) | Op::Password(_) | Op::ReadFile(_) | Op::Return { .. } | Op::Raise(_) => {}
        }
    }

    fn policy(&mut self, place: &str, policy: &VerifyPlan) {
        if policy.algorithms.is_empty() {
            self.flaw(place, "no algorithm is named, and there is no default".into());
        }
        for algorithm in &policy.algorithms {
            self.permitted(place, algorithm, policy.switches);
        }
        if policy.times.leeway_secs > LEEWAY_SECS_MAX {
            self.flaw(place, "the leeway is larger than 300 seconds".into());
        }
        self.steps(place, &policy.prepare);
        for refused in policy.refused.values() {
            self.steps(place, &refused.dress);
            if matches!(refused.then, AfterRefusal::Send(output) if output > 1) {
                self.flaw(place, "a refused token goes over output 0 or 1".into());
            }
        }
    }

    fn permitted(&mut self, place: &str, algorithm: &SignatureAlgorithm, switches: Switches) {
        if let Err(error) = algorithm.permit(switches) {
            self.flaw(place, error.to_string());
        }
    }

    fn expressions<'e>(&mut self, place: &str, exprs: impl Iterator<Item = &'e Expr>) {
        let mut found = Vec::new();
        exprs.for_each(|expr| expr.evaluated(&mut found));
        for (expression, _) in found {
            self.index(place, "expression", expression.0, self.flow.expressions.len());
        }
    }

    fn script(&mut self, place: &str, script: ScriptIx) {
        self.index(place, "script", script.0, self.flow.scripts.len());
    }

    fn steps(&mut self, place: &str, steps: &[ShapeStep]) {
        let drop = steps.iter().position(|step| matches!(step, ShapeStep::Drop));
        if drop.is_some_and(|at| at + 1 != steps.len()) {
            self.flaw(place, "steps stand behind the one that ends the message".into());
        }
    }

    fn handlers(&mut self, place: &str, handlers: &Handlers) {
        for handler in handlers.0.iter().flatten() {
            self.wires(place, &[handler.node]);
        }
    }

    fn wires(&mut self, place: &str, wires: &[NodeIx]) {
        for wire in wires {
            self.index(place, "wire to node", wire.0, self.flow.nodes.len());
        }
    }

    fn index(&mut self, place: &str, what: &str, index: u32, len: usize) {
        if index as usize >= len {
            self.flaw(place, format!("{what} {index} does not exist, there are {len}"));
        }
    }

    fn flaw(&mut self, place: &str, what: String) {
        self.flaws.push(Flaw { place: place.to_owned(), what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::LogLevel;
    use crate::effect::{Fault, FaultKind};
    use crate::expr::Path;
    use crate::flow::{ExpressionIx, Origin, OriginIx, ReplyIx};

    fn node(op: Op, outputs: Vec<Vec<NodeIx>>) -> Node {
        let none = Handlers::default();
        Node { op, origin: OriginIx(0), outputs, on_error: none.clone(), on_done: none.clone(), on_status: none }
    }

    fn flow(nodes: Vec<Node>) -> Flow {
        let origin = Origin { id: "n".into(), kind: "t".into(), name: "".into(), section: "".into() };
        Flow { origins: vec![origin], nodes, replies: 1, ..Flow::default() }
    }

    fn flaws(nodes: Vec<Node>) -> Vec<String> {
        validate(flow(nodes)).err().unwrap_or_default().into_iter().map(|flaw| flaw.what).collect()
    }

    #[test]
    fn a_whole_flow_is_valid_even_with_wires_in_a_circle() {
        let nodes = vec![node(Op::Pass, vec![vec![NodeIx(1)]]), node(Op::Pass, vec![vec![NodeIx(0)]])];
        assert!(validate(flow(nodes)).is_ok());
    }

    #[test]
    fn each_hole_is_named() {
        assert_eq!(flaws(vec![node(Op::Pass, vec![vec![NodeIx(7)]])]), ["wire to node 7 does not exist, there are 1"]);
        assert_eq!(flaws(vec![node(Op::Reply(ReplyIx(1)), vec![])]), ["reply 1 does not exist, there are 1"]);
        assert_eq!(flaws(vec![node(Op::Script(ScriptIx(0)), vec![])]), ["script 0 does not exist, there are 0"]);
        let value = Expr::Evaluated { expression: ExpressionIx(2), input: Box::new(Expr::Now) };
        let log = Op::Log { level: LogLevel::Info, value: Expr::List(vec![value]) };
        assert_eq!(flaws(vec![node(log, vec![])]), ["expression 2 does not exist, there are 0"]);
        assert_eq!(flaws(vec![node(Op::Reply(ReplyIx(0)), vec![vec![]])]), ["1 outputs, but its op serves 0"]);
        let call = |node, timeout_ms| Op::Call {
            callee: Callee::Node(NodeIx(node)),
            pending: Path::default(),
            timeout_ms,
            overdue: Box::new(Fault::new(FaultKind::CallOverdue, "")),
        };
        assert_eq!(flaws(vec![node(call(3, 1), vec![])]), ["wire to node 3 does not exist, there are 1"]);
        assert_eq!(flaws(vec![node(call(0, 0), vec![])]), ["a call has no time at all"]);
        let late = Op::Assign(vec![ShapeStep::Drop, ShapeStep::Drop]);
        assert_eq!(flaws(vec![node(late, vec![])]), ["steps stand behind the one that ends the message"]);
    }
}
