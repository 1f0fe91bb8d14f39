//! Soak: three processes on one PostgreSQL database, a key a minute and a fault every twenty seconds, for so many minutes.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};

/// KR-07 asks for half an hour every night.
const MINUTES_DEFAULT: &str = "30";
const USAGE: &str = "write `cargo xtask soak 30` for half an hour";

/// Runs it; a lost token, a broken chain or growing memory is its failure.
pub(crate) fn command(root: &Path, arguments: &[&str]) -> Outcome {
    let minutes = match arguments {
        [] => MINUTES_DEFAULT,
        [minutes] => minutes,
        _ => return Err(Failure::new("more than one argument", USAGE)),
    };
    if !minutes.parse().is_ok_and(|minutes: f64| minutes > 0.0 && minutes.is_finite()) {
        return Err(Failure::new(format!("`{minutes}` is no number of minutes"), USAGE));
    }
    let words = ["test", "--quiet", "--package", "server", "--test", "soak", "--", "--nocapture"];
    let status = Command::new(env!("CARGO")).current_dir(root).args(words).env("SOAK_MINUTES", minutes).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Failure::new("the soak failed", "the lines above say what was lost, after which fault")),
        Err(error) => Err(Failure::new(format!("cargo cannot be run: {error}"), "install Rust")),
    }
}
