//! The engine from outside: what goes in, what is asked, what is told.

#![allow(clippy::unwrap_used, reason = "tests")]

mod calls;
mod deliveries;
mod edits;
mod fetches;
mod files;
mod holds;
mod ops;
mod passwords;
mod random;
mod support;
mod tokens;
