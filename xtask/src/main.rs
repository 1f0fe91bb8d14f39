//! The project's own tasks: up, test, tidy, goldens, bench
fn main() {}
