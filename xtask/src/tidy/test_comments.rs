//! Finds the comments that belong to a test, a bench or a soak, where items of a contract may be named.

use super::rust::line_of;
use super::tree::File;

/// The comment lines that may name an item, with their numbers.
pub(super) fn comments_of_tests(file: &File) -> Vec<(usize, &str)> {
    let lines: Vec<(usize, &str)> = (1..).zip(file.text.lines()).collect();
    match &file.rust {
        Some(_) => rust_comments(file, &lines),
        None if is_test_script(&file.path) => lines
            .into_iter()
            .filter(|(_, line)| ["//", "/*", "*", "#"].iter().any(|sign| line.trim_start().starts_with(sign)))
            .collect(),
        None => Vec::new(),
    }
}

fn is_test_script(path: &str) -> bool {
    let is_script = ["js", "mjs", "py", "ts"].iter().any(|extension| path.ends_with(&format!(".{extension}")));
    is_script && path.split('/').any(|part| matches!(part, "bench" | "conformance" | "tests"))
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
