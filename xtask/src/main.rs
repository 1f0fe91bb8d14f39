//! The project's own tasks, run as `cargo xtask <task>`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task speaks to the person who started it")]

mod bench;
mod failure;
mod fuzz;
mod goldens;
mod soak;
mod test;
mod tidy;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use failure::{Failure, Outcome};

const HELP: &str = "\
cargo xtask <task>

  up                build, serve the example flow with a secret made for this trial, say how to get a token
                    (--runtime ADDRESS:PORT; --once checks the printed line and stops; --debug builds without optimising)
  test              everything that must hold; closes with `N passed, N failed`
  bench             Chancery and its peers in one run, optimised; writes bench/RESULTS.md
                    (growth: Chancery alone with 10 000 nodes in 1 000 tabs; writes bench/GROWTH.md; --quick for either)
                    (jose: tokens beside the bare primitives and three libraries; writes bench/JOSE.md; --quick likewise)
  fuzz [MINUTES]    every fuzz target for so many minutes, 60 if nothing is said; needs nightly and cargo-fuzz
  soak [MINUTES]    three servers on one PostgreSQL, a fault every 20 s, 30 minutes if nothing is said
  goldens           write the expected plans and diagnostics under testdata/ anew
  tidy              hold the tree against the house rules; --shrink shortens the two lists that may only shrink
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::command(&root()),
        ["tidy", "--shrink"] => tidy::shrink(&root()),
        ["bench", rest @ ..] => bench::command(&root(), rest),
        ["fuzz", rest @ ..] => fuzz::command(&root(), rest),
        ["soak", rest @ ..] => soak::command(&root(), rest),
        ["goldens"] => goldens::command(&root()),
        ["test"] => test::command(&root()),
        ["up", rest @ ..] => up::command(&root(), rest),
        [] | ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            Err(Failure::new(format!("there is no task `{}`", other.join(" ")), "run `cargo xtask help` for the list"))
        }
    }
}

/// The folder of the workspace, where every path in a message starts. Cargo names it at each start: the copy of a build
/// would else speak of the folder that it was copied from.
fn root() -> PathBuf {
    let built_in = || env!("CARGO_MANIFEST_DIR").into();
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(built_in, PathBuf::from);
    own.parent().expect("xtask lies in the workspace").to_path_buf()
}
