//! The voice of the command line: results alone on stdout, everything said to people on stderr.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::json;

use crate::args::VoiceArguments;
use crate::exit::{ExitCode, Failure};

/// Speaks for one command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    json: bool,
    quiet: bool,
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was taken.
    Whole,
    /// The reader has what it wanted and went away.
    PipeClosed,
}

impl Voice {
    pub(crate) fn new(arguments: VoiceArguments) -> Self {
        Self { json: arguments.json, quiet: arguments.quiet }
    }

    /// Whether answers are JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether stdout is a terminal, so that a person reads it.
    pub(crate) fn to_a_person(self) -> bool {
        !self.json && self.on_a_terminal()
    }

    /// Whether nothing but warnings and errors is wanted.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Whether stdout is a terminal.
    pub(crate) fn on_a_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes the result to stdout, with a final newline.
    ///
    /// # Errors
    ///
    /// Exit code 74 if it cannot be written. A reader that closed the pipe has what it wanted: that is no error.
    pub(crate) fn result(self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        self.octets(&[text.as_ref(), b"\n"]).map(drop)
    }

    /// Writes octets to stdout as they are.
    ///
    /// # Errors
    ///
    /// As [`Self::result`].
    pub(crate) fn octets(self, parts: &[&[u8]]) -> Result<Heard, Failure> {
        let mut out = io::stdout().lock();
        match parts.iter().try_for_each(|part| out.write_all(part)).and_then(|()| out.flush()) {
            Ok(()) => Ok(Heard::Whole),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Heard::PipeClosed),
            Err(error) => {
                Err(Failure::new(ExitCode::Output, "output_failed", format!("cannot write to stdout: {error}")))
            }
        }
    }

    /// Tells a person something worth knowing; silent when quiet.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        if !self.quiet && !self.json {
            line(text.as_ref());
        }
    }

    /// Warns; never silent.
    pub(crate) fn warn(self, text: impl AsRef<str>) {
        if self.json {
            line(&json!({ "warning": text.as_ref() }).to_string());
        } else {
            line(&format!("warning: {}", text.as_ref()));
        }
    }

    /// Tells why the command failed, and what to do next.
    pub(crate) fn fail(self, failure: &Failure) {
        if self.json {
            line(&json!({ "code": failure.code, "message": failure.message, "hint": failure.hint }).to_string());
            return;
        }
        line(&format!("error: {}", failure.message));
        if !failure.hint.is_empty() {
            line(&format!("  = {}", failure.hint));
        }
    }
}

/// Writes to stderr; when even that is closed there is nobody left to tell.
fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
