//! Every Rust file opens with one `//!` sentence that says what it is for.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| !opens_with_a_sentence(&file.text))
        .map(|(file, _)| {
            Finding::line(
                &file.path,
                1,
                "the file does not open with a `//!` sentence; say what it is for, and end with a full stop",
            )
        })
        .collect()
}

fn opens_with_a_sentence(text: &str) -> bool {
    let paragraph: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).map(str::trim_end).collect();
    paragraph.last().is_some_and(|line| line.ends_with(['.', '!', '?', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_sentence_is_told() {
        let tree = Tree::sample(&[
            ("crates/jose/src/good.rs", "//! Reads one thing,\n//! and writes it.\n//!\n//! More\nfn a() {}\n"),
            ("crates/jose/src/none.rs", "fn a() {}\n"),
            ("crates/jose/tests/open.rs", "//! Reads one thing\n\nfn a() {}\n"),
        ]);
        let paths: Vec<String> = check(&tree).into_iter().map(|f| f.path).collect();
        assert_eq!(paths, ["crates/jose/src/none.rs", "crates/jose/tests/open.rs"]);
    }
}
