//! The engine from outside: what goes in, what is asked, what is told.

mod deliveries;
mod ops;
mod random;
mod support;
