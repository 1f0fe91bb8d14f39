//! Files stay under 450 production lines and functions under 70; the few that do not stand on a list that only shrinks.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

/// One line for each oversized thing: its lines, its path and, for a function, its name.
pub(super) const LIST: &str = "xtask/tidy/sizes.txt";
const FILE_LINES_MAX: usize = 450;
const FUNCTION_LINES_MAX: usize = 70;
const HEAD: &str = "\
# Files over 450 production lines and functions over 70, with the size they have now.
# The list only shrinks: `cargo xtask tidy --shrink` lowers and removes entries. Split what is new.
";

/// What is measured: a path, or a path and the name of a function in it.
type Sizes = BTreeMap<String, usize>;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let (measured, listed) = (measured(tree), listed(tree));
    let grown = measured.iter().filter_map(|(thing, lines)| {
        let message = match listed.get(thing) {
            None => format!("{lines} lines are too many (files {FILE_LINES_MAX}, functions {FUNCTION_LINES_MAX}); split it where a reader would pause"),
            Some(known) if lines > known => format!("grown from {known} to {lines} lines; it may only shrink"),
            Some(_) => return None,
        };
        Some(Finding::file(thing, message))
    });
    let shrunk = listed.iter().filter_map(|(thing, known)| {
        let now = measured.get(thing).copied().unwrap_or_default();
        (now < *known).then(|| {
            Finding::file(
                LIST,
                format!("`{thing}` has {now} oversized lines now, not {known}; lower or remove its line"),
            )
        })
    });
    grown.chain(shrunk).collect()
}

/// The list with every entry lowered to what is measured; nothing is added.
pub(super) fn shrunk(tree: &Tree) -> String {
    let measured = measured(tree);
    let lines = listed(tree).into_iter().filter_map(|(thing, known)| {
        let now = *measured.get(&thing)?;
        Some(format!("{} {thing}\n", now.min(known)))
    });
    HEAD.chars().chain(lines.collect::<String>().chars()).collect()
}

/// Every file and function beyond its bound.
fn measured(tree: &Tree) -> Sizes {
    let mut sizes = Sizes::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.is_for_tests) {
        let lines = rust.production_lines();
        if lines > FILE_LINES_MAX {
            sizes.insert(file.path.clone(), lines);
        }
        for function in rust.functions.iter().filter(|f| f.lines > FUNCTION_LINES_MAX) {
            let longest = sizes.entry(format!("{} {}", file.path, function.name)).or_default();
            *longest = function.lines.max(*longest);
        }
    }
    sizes
}

fn listed(tree: &Tree) -> Sizes {
    tree.text(LIST)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(lines, thing)| Some((thing.to_owned(), lines.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(function_lines: usize, list: &str) -> Tree {
        let body = "    b();\n".repeat(function_lines - 2);
        let text = format!("//! A.\nfn a() {{\n{body}}}\n");
        Tree::sample(&[("crates/plan/src/a.rs", &text), (LIST, list)])
    }

    fn told(tree: &Tree) -> Vec<String> {
        check(tree).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn seventy_lines_pass_and_one_more_does_not() {
        assert!(told(&tree(70, "")).is_empty());
        assert!(told(&tree(71, ""))[0].starts_with("crates/plan/src/a.rs a: 71 lines are too many"));
    }

    #[test]
    fn a_file_of_451_production_lines_is_told() {
        let text =
            format!("//! A.\n{}#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(450), "\n".repeat(99));
        let tree = Tree::sample(&[("crates/plan/src/a.rs", &text)]);
        assert!(told(&tree)[0].starts_with("crates/plan/src/a.rs: 451 lines"));
    }

    #[test]
    fn what_is_listed_may_not_grow() {
        assert!(told(&tree(80, "80 crates/plan/src/a.rs a\n")).is_empty());
        assert!(told(&tree(81, "80 crates/plan/src/a.rs a\n"))[0].contains("grown from 80 to 81"));
    }

    #[test]
    fn what_has_shrunk_must_be_lowered() {
        let tree = tree(75, "80 crates/plan/src/a.rs a\n90 crates/plan/src/gone.rs b\n");
        assert_eq!(told(&tree).len(), 2);
        assert!(shrunk(&tree).ends_with("\n75 crates/plan/src/a.rs a\n"));
    }
}
