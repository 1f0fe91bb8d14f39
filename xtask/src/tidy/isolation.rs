//! No file of one dialect names another dialect.

use super::Finding;
use super::rust::{line_of, words};
use super::tree::Tree;

const DIALECTS: [&str; 4] = ["api_connect", "node_red", "orchestration", "supertokens"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter_map(|(file, rust)| Some((file, rust, dialect_of(&file.path)?)))
        .flat_map(|(file, rust, own)| {
            DIALECTS.iter().filter(move |other| **other != own).flat_map(move |other| {
                words(&rust.code, other).map(move |at| {
                    Finding::line(
                        &file.path,
                        line_of(&rust.code, at),
                        format!("the dialect `{own}` names the dialect `{other}`; what both need belongs into crates/dialects/src or into the plan"),
                    )
                })
            })
        })
        .collect()
}

/// The dialect that a file belongs to.
fn dialect_of(path: &str) -> Option<&'static str> {
    let place = path.strip_prefix("crates/dialects/src/")?;
    let top = place.split('/').next()?.trim_end_matches(".rs");
    DIALECTS.into_iter().find(|dialect| *dialect == top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_that_names_another_is_told() {
        let tree = Tree::sample(&[
            ("crates/dialects/src/node_red/lower.rs", "use super::syntax;\nuse crate::api_connect::syntax as other;\n"),
            ("crates/dialects/src/supertokens.rs", "// As node_red does.\nuse crate::spec;\n"),
            ("crates/dialects/src/lib.rs", "pub mod node_red;\npub mod api_connect;\n"),
        ]);
        let told: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(
            "crates/dialects/src/node_red/lower.rs:2: the dialect `node_red` names the dialect `api_connect`"
        ));
    }
}
