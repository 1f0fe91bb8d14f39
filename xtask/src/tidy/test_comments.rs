//! Finds the comments that belong to a test, a bench or a soak, where items of a contract may be named.

use super::rust::line_of;
use super::tree::{File, Tree};

/// The comment lines that may name an item, with their numbers.
pub(super) fn comments_of_tests<'a>(file: &'a File, tree: &Tree) -> Vec<(usize, &'a str)> {
    let lines: Vec<(usize, &str)> = (1..).zip(file.text.lines()).collect();
    if file.rust.is_some() {
        rust_comments(file, &lines)
    } else if let Some(case) = file.path.strip_suffix("/requests.http") {
        case_comment(case, tree, lines)
    } else if is_test_script(&file.path) && differences(&file.path, tree).next().is_none() {
        let is_comment = |line: &str| ["//", "/*", "*", "#"].iter().any(|sign| line.trim_start().starts_with(sign));
        lines.into_iter().filter(|(_, line)| is_comment(line)).collect()
    } else {
        Vec::new()
    }
}

fn is_test_script(path: &str) -> bool {
    let is_script = ["js", "mjs", "py", "ts"].iter().any(|extension| path.ends_with(&format!(".{extension}")));
    is_script && path.split('/').any(|part| matches!(part, "bench" | "conformance" | "tests"))
}

/// The first line of a case beside a peer. A case that still differs in one request shows nothing.
fn case_comment<'a>(case: &str, tree: &Tree, lines: Vec<(usize, &'a str)>) -> Vec<(usize, &'a str)> {
    let name = format!("{}: ", case.rsplit('/').next().unwrap_or_default());
    if differences(case, tree).any(|request| request.starts_with(&name)) {
        return Vec::new();
    }
    lines.into_iter().take(1).collect()
}

/// What a runner under `conformance/` has on its own list of things that do not hold yet.
fn differences<'a>(path: &str, tree: &'a Tree) -> impl Iterator<Item = &'a str> {
    let runner: Vec<&str> = path.split('/').take(2).collect();
    let list = tree.text(&format!("{}/not-yet.txt", runner.join("/")));
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// In Rust: the comment block on a test, `//!` lines of test files and test modules, all comments of a bench,
/// and the comment block of an example that must not compile.
fn rust_comments<'a>(file: &'a File, lines: &[(usize, &'a str)]) -> Vec<(usize, &'a str)> {
    let is_bench = file.path.starts_with("bench/") || file.path.contains("/benches/");
    let mut kept = Vec::new();
    let mut block: Vec<(usize, &str)> = Vec::new();
    let mut is_example = false;
    for &(number, line) in lines {
        let text = line.trim_start();
        if text.starts_with("//!") {
            if is_bench || file.is_for_tests || in_test_module(file, number) {
                kept.push((number, line));
            }
        } else if text.starts_with("//") {
            is_example |= text.contains("```compile_fail");
            block.push((number, line));
        } else if is_test_attribute(text) {
            kept.append(&mut block);
        } else if !text.starts_with("#[") {
            if is_bench || is_example {
                kept.append(&mut block);
            }
            block.clear();
            is_example = false;
        }
    }
    kept
}

fn is_test_attribute(text: &str) -> bool {
    text.starts_with("#[test]") || text.starts_with("#[tokio::test")
}

fn in_test_module(file: &File, line: usize) -> bool {
    file.rust
        .iter()
        .flat_map(|rust| rust.tests.iter().map(|span| (&rust.code, span)))
        .any(|(code, span)| (line_of(code, span.start)..=line_of(code, span.end)).contains(&line))
}
