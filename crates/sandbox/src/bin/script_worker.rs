//! A worker on its own, for tests of the pool; the product starts its own program with a hidden subcommand instead.

use std::process::ExitCode;

fn main() -> ExitCode {
    sandbox::worker::main()
}
