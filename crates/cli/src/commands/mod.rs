//! One file a verb; here is only which verb leads to which file.

mod algorithms;
mod audit;
mod backup;
mod check;
mod convert;
mod data;
mod describe;
mod document;
mod explain;
mod flow;
mod found_ring;
mod init;
mod inspect;
mod kek;
mod key;
mod keys;
mod mint;
mod move_store;
mod probe;
mod rings;
mod secret;
mod serve;
mod unset;
mod verify;

use crate::args::{Command, CommandLine};
use crate::exit::{ExitCode, Failure};
use crate::time::Clock;
use crate::voice::Voice;

/// Runs the command that was typed.
pub(crate) fn run(line: CommandLine, voice: Voice) -> Result<ExitCode, Failure> {
    let clock = Clock::new(line.voice.now);
    match line.command {
        Command::Completions { shell } => describe::completions(shell, voice),
        Command::Man { folder } => describe::manual(&folder, voice),
        Command::Check(arguments) => check::run(&arguments, voice),
        Command::Convert(arguments) => convert::run(&arguments, voice),
        Command::Explain(arguments) => explain::run(&arguments, &line.data, voice),
        Command::Flow(command) => flow::run(&command, &line.data, voice),
        Command::Init(arguments) => init::run(&arguments, &line.data, voice),
        Command::Move(arguments) => move_store::run(&arguments, &line.data, voice),
        Command::Verify(arguments) => verify::run(&arguments, &line.data, clock.now_secs(), voice),
        Command::Mint(arguments) => mint::run(&arguments, &line.data, clock, voice),
        Command::Inspect(arguments) => inspect::run(&arguments, clock.now_secs(), voice),
        Command::Audit(command) => audit::run(&command, &line.data, voice),
        Command::Backup(arguments) => backup::run(&arguments, &line.data, voice),
        Command::Restore(arguments) => backup::restore(&arguments, &line.data, voice),
        Command::Kek(command) => kek::run(&command, &line.data, voice),
        Command::Keys(command) => keys::run(&command, &line.data, Clock::new(line.voice.now), voice),
        Command::Serve(arguments) => serve::run(&arguments, &line.data, voice),
        Command::Secret(command) => secret::run(&command, &line.data, voice),
        Command::ScriptWorker => Ok(worker()),
        Command::Probe => probe::run(),
    }
}

/// The whole body of a script worker; its exit code is nobody's business but the pool's.
fn worker() -> ExitCode {
    if sandbox::worker::main() == std::process::ExitCode::SUCCESS { ExitCode::Done } else { ExitCode::Internal }
}
