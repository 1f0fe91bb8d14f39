//! Who may import whom: the edges between our crates are those of the table here, and no others.

use super::Finding;
use super::tree::{File, Tree};

/// Each crate and the crates of ours that it may name, dev-dependencies included.
const MAY_IMPORT: [(&str, &[&str]); 10] = [
    ("jose", &[]),
    ("plan", &["jose"]),
    ("keyring", &["jose"]),
    ("signer", &["jose"]),
    ("dialects", &["plan", "jose"]),
    ("engine", &["plan", "keyring", "jose"]),
    ("sandbox", &["plan", "jose"]),
    ("store", &["keyring"]),
    ("server", &["dialects", "engine", "sandbox", "store", "plan", "keyring", "signer", "jose"]),
    ("cli", &["server", "dialects", "engine", "sandbox", "store", "plan", "keyring", "signer", "jose"]),
];

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files
        .iter()
        .filter_map(|file| Some((file, manifest_of(&file.path)?)))
        .flat_map(|(file, name)| of_crate(file, name))
        .collect()
}

/// The crate whose manifest lies at `path`.
fn manifest_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
    (!name.contains('/')).then_some(name)
}

fn of_crate(file: &File, name: &str) -> Vec<Finding> {
    let Some((_, may)) = MAY_IMPORT.iter().find(|(known, _)| *known == name) else {
        return vec![Finding::file(
            &file.path,
            format!("`{name}` has no row in xtask/src/tidy/edges.rs; give it a level there and in ARCHITECTURE.md"),
        )];
    };
    let manifest: toml::Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::file(&file.path, format!("not TOML: {error}"))],
    };
    TABLES
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(toml::Table::keys)
        .filter(|import| MAY_IMPORT.iter().any(|(ours, _)| ours == import) && !may.contains(&import.as_str()))
        .map(|import| Finding::file(&file.path, format!("`{name}` may not import `{import}`: an edge leads to a lower level, never sideways (ARCHITECTURE.md, \"Who may import whom\")")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_sideways_is_told() {
        let tree = Tree::sample(&[
            (
                "crates/engine/Cargo.toml",
                "[dependencies]\nplan.workspace = true\ndialects.workspace = true\nthiserror.workspace = true\n",
            ),
            ("crates/dialects/Cargo.toml", "[dev-dependencies]\nengine.workspace = true\n"),
            ("crates/store/Cargo.toml", "[dependencies]\nkeyring.workspace = true\n"),
        ]);
        let told: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("`engine` may not import `dialects`"));
        assert!(told[1].contains("`dialects` may not import `engine`"));
    }

    #[test]
    fn a_crate_without_a_level_is_told() {
        let tree = Tree::sample(&[("crates/common/Cargo.toml", "[dependencies]\n")]);
        assert!(check(&tree)[0].message.contains("has no row"));
    }
}
