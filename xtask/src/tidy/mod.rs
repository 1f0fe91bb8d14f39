//! Tidy: the house rules that no compiler knows, as a test and as a command.

mod build_scripts;
mod contracts;
mod edges;
mod first_line;
mod isolation;
mod layers;
mod leftovers;
mod outwards;
mod rust;
mod sizes;
mod test_comments;
mod tree;
mod unsafety;
mod vendors;

use std::fmt;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use tree::Tree;

/// One breach of one rule, at its place.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1; `None` when the whole file is meant.
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn file(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    fn line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::file(path, message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// Every rule. A rule reads the tree and tells what breaks it.
const RULES: [fn(&Tree) -> Vec<Finding>; 10] = [
    first_line::check,
    edges::check,
    isolation::check,
    vendors::check,
    unsafety::check,
    outwards::check,
    build_scripts::check,
    leftovers::check,
    sizes::check,
    contracts::check,
];

/// Checks the tree under `root` and prints what breaks a rule.
pub(crate) fn command(root: &Path) -> Outcome {
    let findings = findings(&Tree::read(root)?);
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: nothing to say");
        return Ok(());
    }
    Err(Failure::new(
        format!("tidy has {} finding(s)", findings.len()),
        "each line above names the place and the way out; `cargo xtask tidy --shrink` shortens the lists",
    ))
}

/// Rewrites the two lists that may only shrink, so that they hold what still needs them and nothing more.
pub(crate) fn shrink(root: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    tree::write(root, sizes::LIST, &sizes::shrunk(&tree))?;
    tree::write(root, contracts::LIST, &contracts::shrunk(&tree))
}

fn findings(tree: &Tree) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(tree)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let told: Vec<String> = findings(&Tree::read(&crate::root()).unwrap()).iter().map(Finding::to_string).collect();
        assert!(told.is_empty(), "\n{}", told.join("\n"));
    }

    #[test]
    fn a_finding_names_its_place() {
        assert_eq!(Finding::line("a.rs", 3, "no").to_string(), "a.rs:3: no");
        assert_eq!(Finding::file("a.rs", "no").to_string(), "a.rs: no");
    }
}
