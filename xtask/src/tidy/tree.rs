//! The project's own text files, read once, as the rules see them.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::rust::Rust;
use crate::failure::{Failure, Outcome};

/// Folders that hold what a build or a package manager made.
const NOT_OURS: [&str; 6] = [".git", ".venv", "dist", "node_modules", "target", "testdata"];
const READ: [&str; 10] = ["http", "js", "md", "mjs", "py", "rs", "sh", "svelte", "toml", "ts"];

/// A text file, its path relative to the root and with `/` between its parts.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
    /// The same text with its parts told apart, if it is Rust.
    pub(super) rust: Option<Rust>,
    /// Whether the file is there for tests, benches, examples or fuzzing alone.
    pub(super) is_for_tests: bool,
}

/// All text files of the project, in the order of their paths.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// Reads the tree under `root`.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let mut found = Vec::new();
        collect(root, "", &mut found)?;
        found.sort();
        Ok(Self::of(found))
    }

    pub(super) fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<File> = files.into_iter().map(|(path, text)| File::of(path, text)).collect();
        let declared: HashSet<String> = files.iter().flat_map(test_modules).collect();
        for file in &mut files {
            file.is_for_tests |= declared.contains(&file.path);
        }
        Self { files }
    }

    /// Every Rust file with its parts.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// The text of one file, empty if there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
    }
}

impl File {
    fn of(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| Rust::parse(&text));
        let is_for_tests = path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples" | "fuzz"));
        Self { path, text, rust, is_for_tests }
    }
}

/// The files that a file declares as modules for tests: `#[cfg(test)] mod name;`.
fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => file.path.trim_end_matches(".rs").to_owned(),
    };
    let declared = file.rust.iter().flat_map(|rust| rust.tests.iter().map(|span| &rust.code[span.clone()]));
    declared
        .filter_map(|item| item.strip_suffix(';')?.rsplit_once("mod ").map(|(_, module)| module.trim()))
        .flat_map(|module| [format!("{folder}/{module}.rs"), format!("{folder}/{module}/mod.rs")])
        .collect()
}

/// Replaces the file at `path` below `root`.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(root: &Path, path: &str, text: &str) -> Outcome {
    fs::write(root.join(path), text).map_err(|error| unreadable(path, &error))
}

fn collect(root: &Path, below: &str, found: &mut Vec<(String, String)>) -> Outcome {
    let folder = root.join(below);
    for entry in fs::read_dir(&folder).map_err(|error| unreadable(below, &error))? {
        let entry = entry.map_err(|error| unreadable(below, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                collect(root, &path, found)?;
            }
        } else if kind.is_file() && is_read(&path) {
            let octets = fs::read(entry.path()).map_err(|error| unreadable(&path, &error))?;
            found.push((path, String::from_utf8_lossy(&octets).into_owned()));
        }
    }
    Ok(())
}

fn is_read(path: &str) -> bool {
    let is_list = path.starts_with("xtask/tidy/") || path.ends_with("/not-yet.txt");
    is_list || path.rsplit_once('.').is_some_and(|(_, extension)| READ.contains(&extension))
}

fn unreadable(path: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("`{path}` cannot be read or written: {error}"),
        "run the task as the owner of the source folder",
    )
}

#[cfg(test)]
impl Tree {
    /// A tree in memory, for the tests of the rules.
    pub(super) fn sample(files: &[(&str, &str)]) -> Self {
        Self::of(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_our_text_and_nothing_that_was_made() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b/x.rs", "a.md", "b/not-yet.txt", "target/y.rs", "b/node_modules/z.mjs", "c.png"] {
            let place = folder.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, "x").unwrap();
        }
        let tree = Tree::read(folder.path()).unwrap();
        let paths: Vec<&str> = tree.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.md", "b/not-yet.txt", "b/x.rs"]);
    }

    #[test]
    fn tells_tests_from_production() {
        let tree = Tree::sample(&[
            ("crates/a/tests/t.rs", ""),
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod testing;\nmod ring;\n"),
            ("crates/a/src/testing.rs", ""),
            ("crates/a/src/ring.rs", "#[cfg(test)]\nmod cases;\n"),
            ("crates/a/src/ring/cases.rs", ""),
        ]);
        let told: Vec<&str> =
            tree.files.iter().filter(|file| file.is_for_tests).map(|file| file.path.as_str()).collect();
        assert_eq!(told, ["crates/a/tests/t.rs", "crates/a/src/testing.rs", "crates/a/src/ring/cases.rs"]);
    }
}
