//! The programs that the tests need, looked for before anything runs.

use std::process::Command;

use super::runners::Runner;
use crate::failure::{Failure, Outcome};

const NODE_MAJOR_MIN: u32 = 20;

/// Looks for every program that a step or a runner starts.
///
/// # Errors
/// The first one that is missing or too old and could not be installed, with what installs it.
pub(super) fn check(runners: &[Runner]) -> Outcome {
    present(
        "cc",
        &["--version"],
        "install a C compiler: `apt-get install gcc libc6-dev`, or Xcode's command line tools",
    )?;
    present(env!("CARGO"), &["fmt", "--version"], "rustup component add rustfmt")?;
    present(env!("CARGO"), &["clippy", "--version"], "rustup component add clippy")?;
    for program in ["initdb", "postgres", "psql"] {
        installed(|| of_postgresql(program), &["--version"], "postgresql")?;
    }
    // Keys in a PKCS#11 token: a token in software, and a tool of somebody else's to look into it.
    installed(|| "softhsm2-util".to_owned(), &["--version"], "softhsm2")?;
    // It ends with an error whatever it is asked without a module.
    installed(|| "sh".to_owned(), &["-c", "command -v pkcs11-tool"], "opensc")?;
    if runners.iter().any(Runner::needs_node) {
        let version = present("node", &["--version"], "install Node.js 20 or later from https://nodejs.org")?;
        new_enough(&version)?;
        present("npm", &["--version"], "install npm, which comes with Node.js")?;
    }
    if runners.iter().any(Runner::needs_openssl) {
        installed(|| "openssl".to_owned(), &["version"], "openssl")?;
    }
    if runners.iter().any(Runner::needs_python) {
        present(
            "python3",
            &["-c", "import venv, ensurepip"],
            "install Python 3 with its venv module: `apt-get install python3-venv`",
        )?;
    }
    Ok(())
}

/// Looks for a program that a package of Debian has, and installs that where this process may.
fn installed(program: impl Fn() -> String, arguments: &[&str], package: &str) -> Outcome {
    let fix = format!("install it: `apt-get install {package}`");
    if present(&program(), arguments, &fix).is_ok() {
        return Ok(());
    }
    let apt = |words: &[&str]| Command::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive").status();
    println!("{} is not here; installing {package}", program());
    // What comes of it, the next look tells.
    drop(apt(&["update", "--quiet=2"]));
    drop(apt(&["install", "--yes", "--quiet=2", "--no-install-recommends", package]));
    present(&program(), arguments, &fix).map(drop)
}

/// Where Debian keeps the programs of its newest PostgreSQL; elsewhere they are on the path.
fn of_postgresql(program: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin").join(program)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().map_or_else(|| program.to_owned(), |path| path.display().to_string())
}

fn present(program: &str, arguments: &[&str], fix: &str) -> Outcome<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => Err(Failure::new(format!("`{program} {}` does not work", arguments.join(" ")), fix)),
    }
}

fn new_enough(version: &str) -> Outcome {
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE_MAJOR_MIN) {
        return Ok(());
    }
    Err(Failure::new(
        format!("node says `{}`; {NODE_MAJOR_MIN} or later is needed", version.trim()),
        "install Node.js 20 or later from https://nodejs.org",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_its_fix() {
        let failure = present("no-such-program", &["-V"], "install it").unwrap_err().to_string();
        assert_eq!(failure, "error: `no-such-program -V` does not work\n  fix: install it");
    }

    #[test]
    fn an_old_node_is_refused() {
        assert!(new_enough("v20.1.0\n").is_ok());
        assert!(new_enough("v18.19.0\n").is_err());
        assert!(new_enough("").is_err());
    }
}
