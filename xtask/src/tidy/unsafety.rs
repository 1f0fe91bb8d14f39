//! `unsafe` stands in the named modules and in test allocators, nowhere else.

use super::Finding;
use super::rust::{line_of, words};
use super::tree::Tree;

/// Modules that need it, as a file or as a folder.
const MODULES: [&str; 3] = ["crates/jose/src/simd", "crates/sandbox/src/worker", "crates/signer/src/pkcs11"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| !(may(&file.path) || file.is_for_tests && file.path.contains("alloc")))
        .flat_map(|(file, rust)| {
            words(&rust.code, "unsafe").map(|at| {
                Finding::line(&file.path, line_of(&rust.code, at), format!("`unsafe` outside {}", MODULES.join(", ")))
            })
        })
        .collect()
}

fn may(path: &str) -> bool {
    MODULES.iter().filter_map(|module| path.strip_prefix(module)).any(|rest| rest.starts_with('/') || rest == ".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-76: `unsafe` outside the named modules fails.
    #[test]
    fn unsafe_elsewhere_is_told() {
        let code = "//! X.\nfn a() { unsafe { b() } } // unsafe\n";
        let tree = Tree::sample(&[
            ("crates/sandbox/src/worker.rs", code),
            ("crates/sandbox/src/worker/seccomp.rs", code),
            ("crates/jose/tests/allocations.rs", code),
            ("crates/sandbox/src/workers.rs", code),
            ("crates/plan/src/flow.rs", "//! X.\n#![forbid(unsafe_code)]\n"),
        ]);
        let told: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("crates/sandbox/src/workers.rs:2:"));
    }
}
