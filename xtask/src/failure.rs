//! How a task says that it failed: what happened, and what to do next.

use std::fmt;

/// What came of a task.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a task stopped, and what puts it right.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    fix: String,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n  fix: {}", self.what, self.fix)
    }
}
