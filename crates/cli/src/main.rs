//! The chancery command: opens the store, wires the house, does nothing else itself.

mod args;
mod commands;
mod exit;
mod input;
mod time;
mod voice;

use std::panic::{self, AssertUnwindSafe};
use std::process;

use clap::Parser as _;

use crate::args::{CommandLine, VoiceArguments};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

fn main() -> process::ExitCode {
    let (outcome, voice) = match CommandLine::try_parse() {
        Ok(line) => {
            let voice = Voice::new(line.voice);
            // The hook has told on stderr what broke, and where.
            let broke = |_| Ok(ExitCode::Internal);
            (panic::catch_unwind(AssertUnwindSafe(|| commands::run(line, voice))).unwrap_or_else(broke), voice)
        }
        Err(error) if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") => {
            (Err(mistyped(&error)), Voice::new(VoiceArguments { json: true, quiet: false, now: None }))
        }
        Err(error) => error.exit(),
    };
    let code = outcome.unwrap_or_else(|failure| {
        voice.fail(&failure);
        failure.exit
    });
    process::ExitCode::from(code as u8)
}

/// What clap says of a command that cannot be read: its first paragraph is what happened, the others what to do.
fn mistyped(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let (message, hint) = text.split_once("\n\n").unwrap_or((&text, ""));
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    Failure::new(ExitCode::Usage, "usage", plain(message.trim_start_matches("error: "))).hint(plain(hint))
}
