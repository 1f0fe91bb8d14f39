//! How a command ends: its exit code, and an error with what to do next.

use std::fmt;

/// An exit code, after sysexits.h where that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// Done.
    Done = 0,
    /// A token was refused, or only a part of a document runs.
    Refused = 1,
    /// The command was typed wrongly, or a document is refused.
    Usage = 2,
    /// Claims, a key or a document cannot be read.
    Unreadable = 65,
    /// A file, key or store is missing.
    Missing = 66,
    /// The server, signer or store is away.
    Away = 69,
    /// Our own fault.
    Internal = 70,
    /// The output could not be written.
    Output = 74,
    /// The configuration is wrong.
    Configuration = 78,
    /// Interrupted.
    Interrupted = 130,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: ExitCode,
    /// A fixed name for programs.
    pub(crate) code: &'static str,
    /// What happened, in one sentence.
    pub(crate) message: String,
    /// What to do next; empty if the message says it all.
    pub(crate) hint: String,
}

impl Failure {
    /// A failure with this exit code and name.
    pub(crate) fn new(exit: ExitCode, code: &'static str, message: impl fmt::Display) -> Self {
        Self { exit, code, message: message.to_string(), hint: String::new() }
    }

    /// The same failure with a word on what to do next.
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = hint.to_string();
        self
    }

    /// The same failure with the place where it happened in front.
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The command was typed wrongly.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Usage, "usage", message)
    }
}
