//! Fuzz: every target of `fuzz/` in turn, for so many minutes each; the soak of the parsers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};

/// JO-64 asks for an hour.
const MINUTES_DEFAULT: u64 = 60;
const SECS_A_MINUTE: u64 = 60;

/// Runs the targets; a panic, more than a second for one input or more than 1 GiB ends it with the input's file.
pub(crate) fn command(root: &Path, arguments: &[&str]) -> Outcome {
    let minutes = match arguments {
        [] => MINUTES_DEFAULT,
        [minutes] => minutes.parse().map_err(|_| Failure::new(format!("`{minutes}` is no number"), USAGE))?,
        _ => return Err(Failure::new("more than one argument", USAGE)),
    };
    present()?;
    for target in targets(root)? {
        println!("{target}: {minutes} min");
        run(root, &target, minutes * SECS_A_MINUTE)?;
    }
    Ok(())
}

const USAGE: &str = "write `cargo xtask fuzz 60` for an hour a target";

fn present() -> Outcome {
    let found = Command::new("cargo").args(["+nightly", "fuzz", "--version"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(Failure::new(
        "`cargo +nightly fuzz` does not work",
        "rustup toolchain install nightly && cargo install cargo-fuzz",
    ))
}

/// The names of the targets, sorted.
fn targets(root: &Path) -> Outcome<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", folder.display()), "run it in the tree");
    let entries = fs::read_dir(&folder).map_err(unreadable)?;
    let stems = entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()));
    let mut targets: Vec<String> = stems.collect();
    targets.sort();
    Ok(targets)
}

/// New inputs go to `corpus/`, which is kept; the seeds of the tree are read beside it.
fn run(root: &Path, target: &str, secs: u64) -> Outcome {
    let fuzz = root.join("fuzz");
    let (corpus, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
    fs::create_dir_all(fuzz.join(&corpus))
        .map_err(|error| Failure::new(format!("cannot make fuzz/{corpus}: {error}"), "check its rights"))?;
    let mut command = Command::new("cargo");
    command.current_dir(&fuzz).args(["+nightly", "fuzz", "run", target, &corpus]);
    if fuzz.join(&seeds).is_dir() {
        command.arg(&seeds);
    }
    let limits = [format!("-max_total_time={secs}"), "-timeout=1".to_owned(), "-rss_limit_mb=1024".to_owned()];
    let status = command.arg("--").args(limits).status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Failure::new(format!("the target {target} found something"), "its input is named above; keep it as a seed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JO-64 (part): every parser of the JOSE library has its target.
    #[test]
    fn every_parser_has_a_target() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let targets = targets(root).unwrap();
        for parser in ["jws", "jwe", "jwk", "pem", "json", "base64url"] {
            assert!(targets.iter().any(|target| target == parser), "{parser} in {targets:?}");
        }
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        for target in targets {
            assert!(manifest.contains(&format!("fuzz_targets/{target}.rs")), "{target} is in no [[bin]]");
        }
    }

    #[test]
    fn minutes_are_a_number() {
        assert!(command(Path::new("."), &["soon"]).is_err());
        assert!(command(Path::new("."), &["1", "2"]).is_err());
    }
}
