//! One step of the test run: a program, and how its outcome is counted.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the whole run came to.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    /// How many failed, by the name of the step.
    pub(super) failed: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, step: &str, passed: usize, failed: usize) {
        self.passed += passed;
        if failed > 0 {
            *self.failed.entry(step.to_owned()).or_default() += failed;
        }
    }
}

/// How a program's outcome adds to the tally.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// The program is one test.
    AsOne,
    /// The program's lines `N passed, N failed` (or cargo's) say how many it was.
    ByItsOwnWords,
}

/// A program to run, with its name in the report.
pub(super) struct Step {
    name: String,
    folder: PathBuf,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, PathBuf)>,
    counting: Counting,
}

impl Step {
    pub(super) fn new(name: &str, folder: &Path, program: &str, arguments: &[&str], counting: Counting) -> Self {
        Self {
            name: name.to_owned(),
            folder: folder.to_path_buf(),
            program: program.to_owned(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: Vec::new(),
            counting,
        }
    }

    pub(super) fn with(mut self, variable: &'static str, path: PathBuf) -> Self {
        self.environment.push((variable, path));
        self
    }

    /// Runs the program, shows what it prints, adds to the tally, and says whether it passed.
    pub(super) fn run(&self, tally: &mut Tally) -> bool {
        println!("\n== {}: {} {}", self.name, self.program, self.arguments.join(" "));
        let counts = match self.output() {
            Ok((true, counts)) => counts,
            Ok((false, (passed, failed))) => (passed, failed.max(1)),
            Err(error) => {
                println!("{} cannot be run: {error}", self.program);
                (0, 1)
            }
        };
        let (passed, failed) = match (self.counting, counts) {
            (Counting::AsOne, (_, 0)) => (1, 0),
            (Counting::AsOne, _) => (0, 1),
            (Counting::ByItsOwnWords, (0, 0)) => {
                println!("{} says `N passed, N failed` nowhere", self.name);
                (0, 1)
            }
            (Counting::ByItsOwnWords, counts) => counts,
        };
        tally.add(&self.name, passed, failed);
        failed == 0
    }

    /// Whether the program succeeded, and the sum of all counts that it printed.
    fn output(&self) -> std::io::Result<(bool, (usize, usize))> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, path)| (name, path)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut sum = (0, 0);
        let stdout = child.stdout.take().expect("stdout was piped");
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some((passed, failed)) = counts(&line) {
                sum = (sum.0 + passed, sum.1 + failed);
            }
        }
        Ok((child.wait()?.success(), sum))
    }
}

/// Reads `3 passed, 1 failed`, and cargo's `test result: ok. 3 passed; 1 failed; ...`.
fn counts(line: &str) -> Option<(usize, usize)> {
    let line = line
        .strip_prefix("test result: ")
        .map_or(line, |rest| rest.split_once(". ").map_or(rest, |(_, counts)| counts));
    let (passed, rest) = line.split_once(" passed")?;
    let (failed, _) = rest.strip_prefix([',', ';'])?.split_once(" failed")?;
    Some((passed.trim().parse().ok()?, failed.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, counting: Counting) -> (usize, usize) {
        let mut tally = Tally::default();
        let passed = Step::new("x", Path::new("/"), "sh", &["-c", script], counting).run(&mut tally);
        assert_eq!(passed, tally.failed.is_empty());
        (tally.passed, tally.failed.values().sum())
    }

    #[test]
    fn lines_of_both_kinds_are_counted() {
        assert_eq!(counts("12 passed, 3 failed"), Some((12, 3)));
        assert_eq!(counts("test result: FAILED. 28 passed; 1 failed; 0 ignored; finished in 0.24s"), Some((28, 1)));
        assert_eq!(counts("all passed"), None);
    }

    #[test]
    fn a_step_counts_as_one_or_by_its_words() {
        assert_eq!(run("true", Counting::AsOne), (1, 0));
        assert_eq!(run("false", Counting::AsOne), (0, 1));
        assert_eq!(run("echo 3 passed, 0 failed; echo 2 passed, 0 failed", Counting::ByItsOwnWords), (5, 0));
        assert_eq!(run("echo 3 passed, 2 failed; false", Counting::ByItsOwnWords), (3, 2));
    }

    #[test]
    fn what_says_nothing_or_breaks_has_failed() {
        assert_eq!(run("true", Counting::ByItsOwnWords), (0, 1));
        assert_eq!(run("echo 3 passed, 0 failed; false", Counting::ByItsOwnWords), (3, 1));
        let mut tally = Tally::default();
        assert!(!Step::new("x", Path::new("/"), "no-such-program", &[], Counting::AsOne).run(&mut tally));
    }
}
