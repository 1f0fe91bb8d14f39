//! What arrives at each node of a flow, by all ways that lead there.

use std::collections::{BTreeSet, VecDeque};

use plan::{Callee, Edit, Flow, Handlers, NodeIx, Op, OriginIx, PasswordPlan, Path, TriggerIx, TriggerKind};

use super::eval::{eval, path_of, shaped};
use super::symbol::Symbol;

/// How often a node is looked at anew before its messages count as unknown: loops end so.
const VISITS_MAX: u32 = 4;

/// What arrives at a node.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The message, as far as it is known.
    pub(super) message: Symbol,
    /// The triggers that lead here.
    pub(super) triggers: BTreeSet<TriggerIx>,
    visits: u32,
}

/// Follows every way through the flow. `sent` is the message of a request.
pub(super) fn arrivals(flow: &Flow, sent: &Symbol) -> Vec<Option<Arrival>> {
    let mut walk = Walk { flow, arrived: vec![None; flow.nodes.len()], waiting: VecDeque::new() };
    for (at, trigger) in flow.triggers.iter().enumerate() {
        let message = match &trigger.kind {
            TriggerKind::Request => sent.clone(),
            TriggerKind::Schedule { message, .. } => shaped(message, &Symbol::NOTHING),
        };
        let triggers = BTreeSet::from([TriggerIx(u32::try_from(at).unwrap_or(u32::MAX))]);
        trigger.wires.iter().for_each(|to| walk.arrive(*to, &message, &triggers));
    }
    while let Some(node) = walk.waiting.pop_front() {
        walk.pass(node);
    }
    walk.arrived
}

/// Where the messages of a node go, each with what is known of it.
pub(super) fn onward(flow: &Flow, node: NodeIx, message: &Symbol) -> Vec<(NodeIx, Symbol)> {
    let node_of = |node: NodeIx| &flow.nodes[node.0 as usize];
    let at = node_of(node);
    let mut onward = Vec::new();
    if let Op::Return { .. } = &at.op {
        let calls = flow.nodes.iter().filter(|node| matches!(node.op, Op::Call { .. }));
        calls.flat_map(|call| call.outputs.iter().flatten()).for_each(|to| onward.push((*to, message.clone())));
    } else if let Op::Call { callee, .. } = &at.op {
        let callees = match callee {
            Callee::Node(node) => vec![*node],
            Callee::Named { nodes, .. } => nodes.values().flatten().copied().collect(),
        };
        onward.extend(callees.into_iter().map(|to| (to, message.clone())));
    } else {
        for (output, wires) in at.outputs.iter().enumerate() {
            let sent = behind(flow, node, output, message);
            onward.extend(wires.iter().map(|to| (*to, sent.clone())));
        }
    }
    for (handlers, message) in [(&at.on_error, message), (&at.on_done, message), (&at.on_status, &Symbol::NOTHING)] {
        onward.extend(handled(handlers, message));
    }
    onward
}

fn handled(handlers: &Handlers, message: &Symbol) -> Vec<(NodeIx, Symbol)> {
    handlers.0.iter().flatten().map(|handler| (handler.node, shaped(&handler.dress, message))).collect()
}

/// The same message with what is known of its token at this place, if anywhere.
fn known_too(message: Symbol, known: Option<&Path>) -> Symbol {
    let told = Symbol::made("what is known of the token", Vec::new());
    known.map_or(message.clone(), |known| message.written(&known.0, told))
}

/// The message behind an output of a node.
pub(crate) fn behind(flow: &Flow, node: NodeIx, output: usize, message: &Symbol) -> Symbol {
    let at = &flow.nodes[node.0 as usize];
    let changed = |what: &str| {
        let by = Symbol::made(format!("{what} {}", named(flow, at.origin)), Vec::new());
        Symbol::any(vec![message.clone(), by])
    };
    match &at.op {
        Op::Shape { steps, .. } | Op::Assign(steps) => shaped(steps, message),
        Op::Edit(edits) => edits.iter().fold(message.clone(), |message, edit| edited(&message, edit)),
        Op::Issue { into, .. } => message.written(&into.0, Symbol::Token(node, "".into())),
        Op::Seal { plan, into, known } => {
            known_too(message.written(&into.0, Symbol::Token(node, plan.prefix.clone())), known.as_ref())
        }
        Op::Verify { into, .. } if output == 0 => message.written(&into.0, checked()),
        Op::Open { into, known, .. } => known_too(message.written(&into.0, checked()), known.as_ref()),
        Op::ReadFile(plan) => message.written(&plan.into.0, Symbol::made("a file", Vec::new())),
        Op::Password(plan) => match &**plan {
            PasswordPlan::SignIn { .. } => changed("a sign-in"),
            PasswordPlan::Hash { into, .. } | PasswordPlan::Check { into, .. } => {
                message.written(&into.0, Symbol::made("a hashed password", Vec::new()))
            }
        },
        Op::Script(_) => changed("the script"),
        Op::Fetch { .. } => changed("an answer to"),
        Op::Each { .. } => changed("an item of"),
        Op::Hold(_) => changed("what is held at"),
        Op::Pass
        | Op::Branch(_)
        | Op::Call { .. }
        | Op::Return { .. }
        | Op::Verify { .. }
        | Op::Reply(_)
        | Op::Log { .. }
        | Op::Raise(_) => message.clone(),
    }
}

fn checked() -> Symbol {
    Symbol::made("the claims of a token that was checked", Vec::new())
}

fn edited(message: &Symbol, edit: &Edit) -> Symbol {
    match path_of(&edit.to) {
        Some(to) => message.written(&to.0, eval(&edit.value, message)),
        None => message.clone(),
    }
}

/// A node by its author's name or id.
fn named(flow: &Flow, origin: OriginIx) -> String {
    let origin = &flow.origins[origin.0 as usize];
    if origin.name.is_empty() { format!("`{}`", origin.id) } else { format!("\"{}\"", origin.name) }
}

struct Walk<'f> {
    flow: &'f Flow,
    arrived: Vec<Option<Arrival>>,
    waiting: VecDeque<NodeIx>,
}

impl Walk<'_> {
    fn pass(&mut self, node: NodeIx) {
        let Some(Arrival { message, triggers, .. }) = self.arrived[node.0 as usize].clone() else { return };
        for (to, message) in onward(self.flow, node, &message) {
            self.arrive(to, &message, &triggers);
        }
    }

    fn arrive(&mut self, node: NodeIx, message: &Symbol, triggers: &BTreeSet<TriggerIx>) {
        let place = &mut self.arrived[node.0 as usize];
        let Some(before) = place else {
            *place = Some(Arrival { message: message.clone(), triggers: triggers.clone(), visits: 0 });
            return self.waiting.push_back(node);
        };
        let mut both = before.message.or(message);
        if both == before.message && triggers.is_subset(&before.triggers) {
            return;
        }
        if before.visits >= VISITS_MAX {
            both = Symbol::made("what comes by many ways", Vec::new());
            if both == before.message && triggers.is_subset(&before.triggers) {
                return;
            }
        }
        before.visits += u32::from(both != before.message);
        before.message = both;
        before.triggers.extend(triggers);
        self.waiting.push_back(node);
    }
}
