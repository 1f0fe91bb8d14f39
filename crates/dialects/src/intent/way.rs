//! The way of a request through a flow, as far as it is one: from its call to its token to its answer.

use plan::{Flow, NodeIx, Op, ReplyIx, Text};

use super::Change;
use crate::minting::{Symbol, behind_output};

/// Most nodes of a way.
const NODES_MAX: usize = 10_000;

/// The path of a call, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url(pub(crate) Vec<Step>);

/// A step of the path of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// As it stands.
    Plain(Text),
    /// Any step; the request knows it by this name.
    Parameter(Text),
}

/// What lies on the way of a request.
pub(super) struct Way {
    /// The node that mints.
    pub(super) mint: NodeIx,
    /// The message there.
    pub(super) message: Symbol,
    /// The reply at the end.
    pub(super) reply: ReplyIx,
    /// The message there.
    pub(super) answered: Symbol,
}

/// Follows a request from this node on.
///
/// # Errors
/// What lies on the way that cannot be written in another dialect.
pub(super) fn follow(flow: &Flow, wires: &[NodeIx], sent: &Symbol) -> Result<Way, Change> {
    let (mut message, mut mint) = (sent.clone(), None);
    let mut at = only(flow, wires)?;
    for _ in 0..NODES_MAX {
        let node = &flow.nodes[at.0 as usize];
        let origin = &flow.origins[node.origin.0 as usize];
        match &node.op {
            Op::Reply(reply) => {
                let (mint, before) =
                    mint.ok_or_else(|| Change::new("flow", "No token is made on the way of its request."))?;
                return Ok(Way { mint, message: before, reply: *reply, answered: message });
            }
            Op::Issue { .. } | Op::Seal { .. } if mint.is_none() => mint = Some((at, message.clone())),
            Op::Pass | Op::Assign(_) | Op::Shape { .. } | Op::Edit(_) => {}
            Op::Each { .. }
            | Op::Branch(_)
            | Op::Call { .. }
            | Op::Return { .. }
            | Op::Script(_)
            | Op::Verify { .. }
            | Op::Fetch { .. }
            | Op::Hold(_)
            | Op::Issue { .. }
            | Op::Seal { .. }
            | Op::Open { .. }
            | Op::Password(_)
            | Op::ReadFile(_)
            | Op::Log { .. }
            | Op::Raise(_) => {
                let how = format!("`{}` ({}) does what has no words in other dialects.", origin.id, origin.kind);
                return Err(Change::new("flow", how));
            }
        }
        message = behind_output(flow, at, 0, &message);
        at = only(flow, node.outputs.first().map_or(&[], Vec::as_slice))?;
    }
    Err(Change::new("flow", "The way of its request has no end."))
}

/// The one node that the wires lead to, but for those that only tell the log.
fn only(flow: &Flow, wires: &[NodeIx]) -> Result<NodeIx, Change> {
    let mut rest = wires.iter().filter(|to| !matches!(flow.nodes[to.0 as usize].op, Op::Log { .. }));
    match (rest.next(), rest.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => Err(Change::new("flow", "The way of its request ends without an answer.")),
        (Some(_), Some(_)) => Err(Change::new("flow", "Its request goes two ways at once.")),
    }
}

impl Url {
    /// Reads a path whose parameters stand between these two.
    ///
    /// # Errors
    /// Which step is more than a name.
    pub(super) fn read(path: &str, before: &str, after: &str) -> Result<Self, Change> {
        let step = |step: &str| {
            let name = step.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let is_plain = |text: &str| !text.contains(['*', '(', ')', '?', '+', '{', '}', ':']);
            match name {
                Some(name) if is_plain(name) && !name.is_empty() => Ok(Step::Parameter(name.into())),
                None if is_plain(step) => Ok(Step::Plain(step.into())),
                Some(_) | None => {
                    Err(Change::new("path", format!("`{step}` in the path `{path}` is a pattern of its dialect.")))
                }
            }
        };
        let steps = path.split('/').filter(|step| !step.is_empty());
        steps.map(step).collect::<Result<_, _>>().map(Self)
    }

    /// Writes it with the parameters between these two.
    pub(crate) fn written(&self, before: &str, after: &str) -> String {
        let steps = self.0.iter().map(|step| match step {
            Step::Plain(text) => format!("/{text}"),
            Step::Parameter(name) => format!("/{before}{name}{after}"),
        });
        let written: String = steps.collect();
        if written.is_empty() { "/".to_owned() } else { written }
    }

    /// Whether a step of that name is open.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Parameter(own) if &**own == name))
    }
}
