//! The runners under `conformance/`: each folder with a `runner.json` says how it is prepared and run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::steps::{Counting, Step, Tally};
use crate::failure::{Failure, Outcome};

/// A program that holds Chancery beside a peer. `setup` and `run` are lists of argument vectors, run in its folder.
pub(super) struct Runner {
    name: String,
    folder: PathBuf,
    needs_openssl: bool,
    setup: Vec<Vec<String>>,
    run: Vec<Vec<String>>,
}

/// Every folder of `conformance/`, in the order of their names.
///
/// # Errors
/// A folder without a `runner.json` that can be read.
pub(super) fn discover(root: &Path) -> Outcome<Vec<Runner>> {
    let Ok(folders) = fs::read_dir(root.join("conformance")) else {
        return Ok(Vec::new());
    };
    let mut runners = Vec::new();
    for folder in folders.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        runners.push(Runner::read(folder)?);
    }
    runners.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(runners)
}

impl Runner {
    fn read(folder: PathBuf) -> Outcome<Self> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("runner.json")).unwrap_or_default();
        let described: Value = serde_json::from_str(&text).unwrap_or_default();
        let needs_openssl = described["needs"].as_array().is_some_and(|needs| needs.iter().any(|it| it == "openssl"));
        match (commands(&described["setup"]), commands(&described["run"])) {
            (Some(setup), Some(run)) if !run.is_empty() => Ok(Self { name, folder, needs_openssl, setup, run }),
            _ => Err(Failure::new(
                format!("conformance/{name}/runner.json does not say how to run it"),
                r#"write {"setup": [["npm", "ci"]], "run": [["node", "run.mjs"]]}"#,
            )),
        }
    }

    /// Whether one of its programs is node's, or its packages.
    pub(super) fn needs_node(&self) -> bool {
        let runs_node = self.run.iter().any(|words| words.first().is_some_and(|word| word == "node"));
        runs_node || self.folder.join("package.json").exists()
    }

    /// Whether its `runner.json` names OpenSSL among its `needs`.
    pub(super) fn needs_openssl(&self) -> bool {
        self.needs_openssl
    }

    pub(super) fn needs_python(&self) -> bool {
        self.folder.join("requirements.txt").exists()
    }

    /// Prepares and runs it. The programs find `CHANCERY` (the binary) and `PYTHON` (with the requirements) set.
    pub(super) fn run(&self, root: &Path, tally: &mut Tally) {
        let prepared = self.python(root, tally) && self.all(root, &self.setup, Counting::AsOne, tally);
        if prepared {
            self.all(root, &self.run, Counting::ByItsOwnWords, tally);
        }
    }

    fn all(&self, root: &Path, commands: &[Vec<String>], counting: Counting, tally: &mut Tally) -> bool {
        commands.iter().all(|command| {
            let arguments: Vec<&str> = command.iter().skip(1).map(String::as_str).collect();
            Step::new(&self.name, &self.folder, &command[0], &arguments, counting)
                .with("CHANCERY", root.join("target/debug/chancery"))
                .with("PYTHON", self.environment(root).join("bin/python"))
                .run(tally)
        })
    }

    /// Makes the Python environment of `requirements.txt`, unless it stands already.
    fn python(&self, root: &Path, tally: &mut Tally) -> bool {
        let Ok(wanted) = fs::read_to_string(self.folder.join("requirements.txt")) else {
            return true;
        };
        let environment = self.environment(root);
        let installed = environment.join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
            return true;
        }
        let path = environment.display().to_string();
        let make = Step::new(&self.name, &self.folder, "python3", &["-m", "venv", "--clear", &path], Counting::AsOne);
        let pip = environment.join("bin/pip").display().to_string();
        let install = ["install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"];
        make.run(tally)
            && Step::new(&self.name, &self.folder, &pip, &install, Counting::AsOne).run(tally)
            && fs::write(installed, wanted).is_ok()
    }

    fn environment(&self, root: &Path) -> PathBuf {
        root.join("target/venv").join(&self.name)
    }
}

/// A list of argument vectors, each with at least its program.
fn commands(value: &Value) -> Option<Vec<Vec<String>>> {
    value
        .as_array()?
        .iter()
        .map(|command| {
            let words =
                command.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
            (!words.is_empty()).then_some(words)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(text: &str) -> (tempfile::TempDir, Outcome<Vec<Runner>>) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("conformance/x")).unwrap();
        fs::write(root.path().join("conformance/x/runner.json"), text).unwrap();
        let found = discover(root.path());
        (root, found)
    }

    #[test]
    fn a_runner_is_found_prepared_and_run() {
        let (root, found) = runner(
            r#"{"setup": [["touch", "ready"]], "run": [["sh", "-c", "test -e ready && test -n \"$CHANCERY\" && echo 2 passed, 0 failed"]]}"#,
        );
        let mut tally = Tally::default();
        found.unwrap()[0].run(root.path(), &mut tally);
        assert_eq!((tally.passed, tally.failed.len()), (3, 0));
    }

    #[test]
    fn what_cannot_be_prepared_is_not_run() {
        let (root, found) = runner(r#"{"setup": [["false"]], "run": [["echo", "2 passed, 0 failed"]]}"#);
        let mut tally = Tally::default();
        found.unwrap()[0].run(root.path(), &mut tally);
        assert_eq!((tally.passed, tally.failed["x"]), (0, 1));
    }

    #[test]
    fn a_folder_that_does_not_say_how_is_an_error() {
        for text in ["", "{}", r#"{"setup": [], "run": []}"#, r#"{"setup": [], "run": [[]]}"#] {
            let (_root, found) = runner(text);
            assert!(found.is_err(), "{text}");
        }
    }
}
