//! A script worker on its own, for the tests of this crate; the product starts itself with a hidden subcommand instead.

use std::process::ExitCode;

fn main() -> ExitCode {
    sandbox::worker::main()
}
