//! Nothing half done is left behind under a promise to come back.

use super::Finding;
use super::rust::{line_of, words};
use super::tree::{File, Tree};

const PROMISES: [&str; 3] = ["TODO", "FIXME", "XXX"];
const SCRIPTS: [&str; 7] = ["js", "mjs", "py", "sh", "svelte", "toml", "ts"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files
        .iter()
        .flat_map(|file| {
            found(file).into_iter().map(|(line, promise)| {
                Finding::line(
                    &file.path,
                    line,
                    format!("`{promise}`: do it now, or say in the issue what is missing and delete the note"),
                )
            })
        })
        .collect()
}

fn found(file: &File) -> Vec<(usize, &'static str)> {
    let text = match &file.rust {
        Some(rust) => &rust.comments,
        None if file.path.rsplit_once('.').is_some_and(|(_, extension)| SCRIPTS.contains(&extension)) => &file.text,
        None => return Vec::new(),
    };
    PROMISES.iter().flat_map(|promise| words(text, promise).map(|at| (line_of(text, at), *promise))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_told() {
        let tree = Tree::sample(&[
            ("crates/plan/src/a.rs", "//! A.\n\n// TODO: b\nconst C: &str = \"TODO\";\n"),
            ("bench/run.mjs", "// FIXME\n"),
            ("CONTRIBUTING.md", "No TODO.\n"),
        ]);
        let told: Vec<String> = check(&tree).iter().map(|f| format!("{}:{}", f.path, f.line.unwrap())).collect();
        assert_eq!(told, ["crates/plan/src/a.rs:3", "bench/run.mjs:1"]);
    }
}
