//! A build script speaks to no network and starts no program.

use super::Finding;
use super::rust::{line_of, words};
use super::tree::Tree;

const REACH_OUT: [&str; 4] = ["net", "TcpStream", "UdpSocket", "Command"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| file.path.ends_with("/build.rs") && !file.path.contains("/src/"))
        .flat_map(|(file, rust)| {
            REACH_OUT.iter().flat_map(move |word| {
                words(&rust.code, word).map(move |at| {
                    Finding::line(
                        &file.path,
                        line_of(&rust.code, at),
                        format!(
                            "a build script that names `{word}` could reach out; a build needs nothing but its sources"
                        ),
                    )
                })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-76: a network call from a build script fails.
    #[test]
    fn a_build_script_that_reaches_out_is_told() {
        let tree = Tree::sample(&[
            ("crates/cli/build.rs", "//! Builds.\nuse std::net::TcpStream;\n"),
            ("crates/cli/src/build.rs", "//! X.\nuse std::net::A;\n"),
        ]);
        let lines: Vec<Option<usize>> = check(&tree).iter().map(|f| f.line).collect();
        assert_eq!(lines, [Some(2), Some(2)]);
    }
}
