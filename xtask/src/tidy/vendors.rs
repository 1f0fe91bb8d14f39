//! No vendor's word in the crates that every dialect shares: not in code, nor in comments, nor in tests.

use super::Finding;
use super::rust::{line_of, words};
use super::tree::Tree;

const NEUTRAL: [&str; 4] = ["plan", "engine", "keyring", "jose"];

/// Found as they stand here, in any case and inside longer words too.
const NAMES: [&str; 12] = [
    "node-red",
    "node_red",
    "nodered",
    "node red",
    "ignite",
    "supertokens",
    "apiconnect",
    "api connect",
    "api_connect",
    "datapower",
    "onewelcome",
    "gatewayscript",
];
/// Found only where they stand alone, in any case.
const SHORT_NAMES: [&str; 2] = ["ibm", "thales"];
/// A vendor's object, found as written.
const OBJECTS: [&str; 1] = ["RED."];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| NEUTRAL.iter().any(|name| file.path.starts_with(&format!("crates/{name}/"))))
        .flat_map(|(file, _)| {
            found(&file.text).into_iter().map(|(at, word)| {
                Finding::line(
                    &file.path,
                    line_of(&file.text, at),
                    format!("`{word}` is a vendor's word; here only the standards' terms and our own stand"),
                )
            })
        })
        .collect()
}

fn found(text: &str) -> Vec<(usize, &'static str)> {
    let lower = text.to_ascii_lowercase();
    let inside = NAMES.iter().flat_map(|name| lower.match_indices(name).map(|(at, _)| (at, *name)));
    let alone = SHORT_NAMES.iter().flat_map(|name| words(&lower, name).map(|at| (at, *name)));
    let objects = OBJECTS.iter().flat_map(|name| text.match_indices(name).map(|(at, _)| (at, *name)));
    inside.chain(alone).chain(objects).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_word_is_told_in_code_comment_and_text() {
        let tree = Tree::sample(&[
            ("crates/plan/src/op.rs", "//! Ops.\n// As Node-RED has it.\nstruct IgniteOp;\n"),
            ("crates/jose/src/jws.rs", "//! JWS.\nconst A: &str = \"IBM\"; // shared.ibmx\n"),
            ("crates/dialects/src/node_red/lower.rs", "//! Lowers Node-RED flows.\n"),
        ]);
        let told: Vec<String> = check(&tree).iter().map(|f| format!("{}:{}", f.path, f.line.unwrap())).collect();
        assert_eq!(told, ["crates/plan/src/op.rs:2", "crates/plan/src/op.rs:3", "crates/jose/src/jws.rs:2"]);
    }
}
