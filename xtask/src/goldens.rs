//! Goldens: writes `plan.txt` and `diagnostics.txt` of every case anew, for a person to read the difference.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};

/// Set to `write`, it makes the tests that compare with `testdata/` write what they found instead.
const VARIABLE: &str = "CHANCERY_GOLDENS";

/// Re-writes the expected texts under `testdata/` and says how to look at what changed.
pub(crate) fn command(root: &Path) -> Outcome {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "dialects", "--test", "goldens"])
        .env(VARIABLE, "write")
        .current_dir(root)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return Err(Failure::new("the goldens cannot be written", "`cargo test -p dialects --test goldens` says why"));
    }
    println!("Written. Read every line of `git diff testdata` before you commit it.");
    Ok(())
}
