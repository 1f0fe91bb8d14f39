//! The chancery command: opens the store, wires the house, does nothing else itself.

mod args;
mod commands;
mod exit;
mod input;
mod time;
mod voice;

use std::process;

use clap::Parser as _;

use crate::args::CommandLine;
use crate::voice::Voice;

fn main() -> process::ExitCode {
    let line = CommandLine::parse();
    let voice = Voice::new(line.voice);
    let code = match commands::run(line, voice) {
        Ok(code) => code,
        Err(failure) => {
            voice.fail(&failure);
            failure.exit
        }
    };
    process::ExitCode::from(code as u8)
}
