//! A function that a dialect brings along: what its vendor makes of values, such as a text format with its own quirks.

use std::fmt;

use crate::effect::Fault;
use crate::value::Value;

/// A pure function: the same arguments always give the same value, and nothing else happens.
#[derive(Clone, Copy)]
pub struct Function {
    /// What it is called in dumps; no two functions of a dialect share a name.
    pub name: &'static str,
    /// Works the value out, or says why there is none.
    pub run: fn(&[Value]) -> Result<Value, Fault>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
