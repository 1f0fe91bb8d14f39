//! Test: everything that must hold, from the formatter to the peers beside us, with one closing line.

mod runners;
mod steps;
mod tools;

use std::net::TcpListener;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use steps::{Counting, Step, Tally};

/// Runs every check and prints `N passed, N failed` at the end.
pub(crate) fn command(root: &Path) -> Outcome {
    let runners = runners::discover(root)?;
    tools::check(&runners)?;
    let mut tally = Tally::default();
    for step in house(root)? {
        step.run(&mut tally);
    }
    for runner in &runners {
        runner.run(root, &mut tally);
    }
    println!("\n{} passed, {} failed", tally.passed, tally.failed.values().sum::<usize>());
    if tally.failed.is_empty() {
        return Ok(());
    }
    let failed: Vec<String> = tally.failed.iter().map(|(step, count)| format!("{step} ({count})")).collect();
    Err(Failure::new(
        format!("failed: {}", failed.join(", ")),
        "the output above each name says why; every step can be run alone",
    ))
}

/// The checks of the workspace itself, in the order in which a mistake shows soonest.
fn house(root: &Path) -> Outcome<Vec<Step>> {
    let cargo = |name: &str, arguments: &[&str], counting| Step::new(name, root, env!("CARGO"), arguments, counting);
    let address = free_address()?;
    Ok(vec![
        cargo("format", &["fmt", "--all", "--check"], Counting::AsOne),
        cargo(
            "clippy",
            &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
            Counting::AsOne,
        ),
        cargo("build", &["build", "--quiet", "--package", "cli"], Counting::AsOne),
        cargo("tests", &["test", "--workspace", "--no-fail-fast"], Counting::ByItsOwnWords),
        cargo("newcomer's path", &["xtask", "up", "--once", "--debug", "--runtime", &address], Counting::AsOne),
    ])
}

fn free_address() -> Outcome<String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.to_string())
        .map_err(|error| {
            Failure::new(format!("no port can be opened on 127.0.0.1: {error}"), "allow loopback connections")
        })
}
