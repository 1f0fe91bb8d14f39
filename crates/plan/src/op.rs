//! What the engine can do: a closed list.

use crate::effect::{Fault, LogLevel};
use crate::expr::{Expr, Path};
use crate::flow::{PolicyIx, ReplyIx, ScriptIx, TokenIx};
use crate::value::Value;

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

/// One step of a change to a message.
#[derive(Clone, Debug, PartialEq)]
pub enum ShapeStep {
    /// Writes a value.
    Set(Path, Expr),
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
            Self::Pass | Self::Shape { .. } | Self::Assign(_) | Self::Issue { .. } => Some(1),
            Self::Verify { .. } => Some(2),
            Self::Reply(_) | Self::Log { .. } | Self::Raise(_) => Some(0),
            Self::Script(_) => None,
        }
    }
}
