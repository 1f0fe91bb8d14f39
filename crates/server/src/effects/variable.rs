//! Variables of the document that an op reads or writes.

use plan::{Answer, Fault, FaultKind, Value, Variable};

use crate::variables::Variables;

/// Reads a variable.
pub(crate) fn read(variables: &Variables, variable: &Variable) -> Answer {
    Answer::Value(variables.read(&variable.scope, &variable.path))
}

/// Writes a variable.
pub(crate) fn write(variables: &Variables, variable: &Variable, value: Value) -> Answer {
    match variables.write(&variable.scope, &variable.path, value) {
        Ok(()) => Answer::Written,
        Err(full) => Answer::Failed(Fault::new(FaultKind::Oversized, full.to_string())),
    }
}
