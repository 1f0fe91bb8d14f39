//! The chancery command: opens the store, wires the house, does nothing else itself.

fn main() {}
