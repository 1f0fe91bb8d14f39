//! `completions` and `man`: the command line described from the same source that parses it.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::CommandLine;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// Writes the completion script of a shell.
pub(super) fn completions(shell: Shell, voice: Voice) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "chancery", &mut script);
    voice.result(script.trim_ascii_end())?;
    Ok(ExitCode::Done)
}

/// Writes one manual page for the command and one for each verb.
pub(super) fn manual(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    clap_mangen::generate_to(CommandLine::command(), folder).map_err(|error| {
        Failure::new(ExitCode::Output, "output_failed", format!("cannot write to {}: {error}", folder.display()))
            .hint("The folder must exist and be writable.")
    })?;
    voice.say(format!("manual pages written to {}", folder.display()));
    Ok(ExitCode::Done)
}
