//! Passwords: shown by a caller, hashed, and held against a hash.

use crate::effect::Fault;
use crate::expr::{Expr, Path};
use crate::token::SecretRef;
use crate::value::{Text, Value};

/// What an op does with a password.
#[derive(Clone, Debug, PartialEq)]
pub enum PasswordPlan {
    /// Output 0 if a caller shows this name and password in Basic authentication (RFC 7617), output 1 if not.
    SignIn {
        /// What the caller shows: the field value of an `Authorization` header.
        shown: Expr,
        /// The name.
        user: Text,
        /// The password.
        password: SecretRef,
        /// Raised if no password is set.
        missing: Box<Fault>,
    },
    /// Writes the bcrypt hash of a password to `into`.
    Hash {
        /// The password.
        of: Expr,
        /// The cost: two to this power are the rounds, 4 to 31.
        cost: u32,
        /// Where the hash is written.
        into: Path,
    },
    /// Writes to `into` whether a password is the one of a bcrypt hash.
    Check {
        /// The password.
        of: Expr,
        /// The hash.
        hash: Expr,
        /// Where the boolean is written.
        into: Path,
    },
}

/// What is asked of whoever knows passwords and has time to hash.
#[derive(Debug)]
pub enum PasswordAsk {
    /// Whether this is what somebody of this name and password shows. Answered with a boolean, or with undefined if no
    /// password is set.
    SignIn {
        /// What the caller shows.
        shown: Text,
        /// The name.
        user: Text,
        /// The password.
        password: SecretRef,
    },
    /// The bcrypt hash of this password, as text.
    Hash {
        /// The password.
        of: Text,
        /// The cost.
        cost: u32,
    },
    /// Whether this password is the one of this hash, as a boolean.
    Check {
        /// The password.
        of: Text,
        /// The hash.
        hash: Text,
    },
}

impl PasswordPlan {
    /// How many outputs the op serves.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::SignIn { .. } => 2,
            Self::Hash { .. } | Self::Check { .. } => 1,
        }
    }

    /// Raised where a value is no text.
    pub fn unfit(values: &[&Value]) -> Fault {
        let kinds: Vec<&str> = values.iter().map(|value| kind(value)).collect();
        Fault::new(crate::effect::FaultKind::ValueUnfit, format!("Error: Illegal arguments: {}", kinds.join(", ")))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Undefined => "undefined",
        Value::Text(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => "object",
    }
}
