//! Peers beside us in one run
fn main() {}
