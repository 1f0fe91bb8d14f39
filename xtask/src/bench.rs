//! Bench: runs Chancery and its peers in one go, optimised, and leaves the table in `bench/`.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};

/// Builds Chancery and the benches optimised, and runs them with `arguments`.
pub(crate) fn command(root: &Path, arguments: &[&str]) -> Outcome {
    if let ["jose", rest @ ..] = arguments {
        let run_bench = ["run", "--quiet", "--release", "--manifest-path", "bench/jose/Cargo.toml", "--"];
        return run(root, &[&run_bench, rest].concat());
    }
    run(root, &["build", "--quiet", "--release", "--package", "cli"])?;
    let run_benches = ["run", "--quiet", "--release", "--package", "bench", "--"];
    run(root, &[&run_benches, arguments].concat())
}

fn run(root: &Path, arguments: &[&str]) -> Outcome {
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(root).status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Failure::new(format!("`cargo {}` failed", arguments.join(" ")), "the lines above say why"))
}
