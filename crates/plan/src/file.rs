//! Files that a flow reads, by a name that the message may decide.

use crate::expr::{Expr, Path};
use crate::function::Function;
use crate::value::Text;

/// How an op reads a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePlan {
    /// The name: a text. Nothing is read by an empty one, and the message ends.
    pub name: Expr,
    /// Where the name is written before the file is read.
    pub named: Path,
    /// A line for the log if there is no name.
    pub unnamed: Text,
    /// What becomes of the octets, its one argument; without it they stay octets.
    pub read_as: Option<Function>,
    /// Where what was read is written.
    pub into: Path,
    /// Where a message that goes on although nothing could be read holds the `code` and the `message` of the fault, and
    /// nothing stands at `into`. Without it the message ends with the fault.
    pub failed: Option<Path>,
}
