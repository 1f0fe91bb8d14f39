//! What the engine can do: a closed list.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::branch::BranchPlan;
use crate::effect::{Fault, LogLevel};
use crate::expr::{Expr, Path};
use crate::file::FilePlan;
use crate::flow::{FetchIx, PolicyIx, ReplyIx, ScriptIx, TokenIx, Wire};
use crate::hold::HoldPlan;
use crate::open::OpenPlan;
use crate::password::PasswordPlan;
use crate::seal::SealPlan;
use crate::slot::Slot;
use crate::value::{Text, Value};

/// One thing the engine can do with a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Sends the message on over output 0.
    Pass,
    /// Changes the message by these steps and sends it on over output 0; sends nothing if the last step is
    /// [`ShapeStep::Drop`].
    ///
    /// A step that meets a value which is no plain map on its way leaves the whole op to `otherwise`, which gets the
    /// message untouched. So this op means what that script means, and only costs less.
    Shape {
        /// The steps, in order.
        steps: Vec<ShapeStep>,
        /// The script that the steps were read from.
        otherwise: ScriptIx,
    },
    /// Changes the message by these steps, making what is missing on the way, and sends it on over output 0.
    Assign(Vec<ShapeStep>),
    /// Takes these edits one after the other, then sends the message on over output 0. What an edit reads and writes beyond
    /// the message is asked for.
    Edit(Vec<Edit>),
    /// Sends a copy of the message over output 0 for each item of a list of maps, in order; none for an empty list.
    Each {
        /// Gives the list. It reads nothing beyond the message.
        items: Expr,
        /// Where a member of the item is put into its copy, by the member's name; one that the item lacks changes nothing.
        into: Vec<(Text, Slot)>,
    },
    /// Sends the message over every output whose test holds.
    Branch(Box<BranchPlan>),
    /// Sends the message to another node and waits for it to come back through [`Op::Return`]; then it goes on over
    /// output 0. A message that is not back in time is a fault.
    Call {
        /// Who is called.
        callee: Callee,
        /// Where the message keeps the calls that it has to return from.
        pending: Path,
        /// How long the call may take, in milliseconds; at least 1.
        timeout_ms: u64,
        /// Raised when it takes longer.
        overdue: Box<Fault>,
    },
    /// Sends the message back to the node that called last; nothing is sent on.
    Return {
        /// Where the message keeps the calls that it has to return from.
        pending: Path,
    },
    /// Runs a script, which sends what it likes over any output.
    Script(ScriptIx),
    /// Mints a token, writes it to `into` and sends the message on over output 0.
    Issue {
        /// What the token shall hold.
        token: TokenIx,
        /// Where the compact token is written.
        into: Path,
    },
    /// Checks a token: output 0 if it holds, with its claims at `into`; output 1, with nothing changed, if not.
    Verify {
        /// What is asked of the token.
        policy: PolicyIx,
        /// Where the claims are written.
        into: Path,
    },
    /// Asks somebody outside and sends on over output 0 what the dialect made of the answer.
    Fetch {
        /// Which request of the dialect.
        fetch: FetchIx,
        /// Where to.
        to: Expr,
        /// What the node shows while it waits; undefined for nothing.
        busy: Value,
    },
    /// Holds messages back; they go on over output 0, those that are turned aside over output 1.
    Hold(Box<HoldPlan>),
    /// Makes a token with keys that the message brings along, writes it to `into` and sends the message on over output 0.
    Seal {
        /// What the token shall hold, and how it is protected.
        plan: Box<SealPlan>,
        /// Where the token is written.
        into: Path,
        /// Where a map of what is known of it beside its text is written, if anywhere: `claims` as JSON text, `signed`, the
        /// signed token, and `key`, the public JWK that verifies it, as far as there are such.
        known: Option<Path>,
    },
    /// Opens a token with keys that the message brings along, writes its claims to `into` and sends the message on over
    /// output 0. A token that does not hold is a fault, thrown with a map whose `flaw` is the name of its [`TokenFlaw`](crate::TokenFlaw) and
    /// whose `claim`, if one is at fault, is the name of that.
    Open {
        /// What is asked of the token.
        plan: Box<OpenPlan>,
        /// Where the claims are written.
        into: Path,
        /// Where a map of what is known of the token beside its text is written, if anywhere; as with [`Self::Seal`].
        known: Option<Path>,
    },
    /// Hashes or compares a password.
    Password(Box<PasswordPlan>),
    /// Reads a file and sends the message on over output 0.
    ReadFile(Box<FilePlan>),
    /// Hands the message out as the outcome of the run; nothing is sent on.
    Reply(ReplyIx),
    /// Tells the log and sends nothing on.
    Log {
        /// How loud.
        level: LogLevel,
        /// What is told.
        value: Expr,
    },
    /// Raises this fault for every message.
    Raise(Fault),
}

/// One edit: the value goes to its place; undefined takes out what stands there. An edit whose value would be read from the
/// members of something undefined or null is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Where the value goes.
    pub to: Slot,
    /// The value.
    pub value: Expr,
}

/// Who is called by [`Op::Call`].
#[derive(Clone, Debug, PartialEq)]
pub enum Callee {
    /// This node.
    Node(Wire),
    /// The node that the message names.
    Named {
        /// The name.
        name: Expr,
        /// Who goes by which name.
        nodes: Arc<BTreeMap<Text, Vec<Wire>>>,
        /// Raised when nobody does; `{name}` in its message stands for the name.
        unknown: Box<Fault>,
        /// Raised when more than one node does; `{name}` in its message stands for the name.
        ambiguous: Box<Fault>,
    },
}

/// One step of a change to a message.
#[derive(Clone, Debug, PartialEq)]
pub enum ShapeStep {
    /// Writes a value.
    Set(Path, Expr),
    /// Writes a value, making the maps that are missing on the way; raises a fault where the way leads through something
    /// that has no members.
    Place {
        /// Where the value goes.
        to: Path,
        /// The value.
        value: Expr,
        /// Raised where there is no place for it.
        otherwise: Box<Fault>,
    },
    /// Writes a value unless it is undefined.
    SetPresent(Path, Expr),
    /// Moves what stands at the first path to the second; nothing happens if nothing stands there.
    Move(Path, Path),
    /// Takes a value out.
    Delete(Path),
    /// Starts over from this value in place of the message.
    Replace(Value),
    /// Ends the message here; the last step if it occurs.
    Drop,
}

impl Op {
    /// How many outputs the op serves; none means as many as its node has wires for.
    pub fn outputs(&self) -> Option<usize> {
        match self {
            Self::Pass
            | Self::Shape { .. }
            | Self::Assign(_)
            | Self::Edit(_)
            | Self::Each { .. }
            | Self::Issue { .. }
            | Self::Fetch { .. }
            | Self::ReadFile(_)
            | Self::Seal { .. }
            | Self::Open { .. }
            | Self::Call { .. } => Some(1),
            Self::Verify { .. } | Self::Hold(_) => Some(2),
            Self::Branch(plan) => Some(plan.tests.len()),
            Self::Reply(_) | Self::Return { .. } | Self::Log { .. } | Self::Raise(_) => Some(0),
            Self::Password(plan) => Some(plan.outputs()),
            Self::Script(_) => None,
        }
    }
}
