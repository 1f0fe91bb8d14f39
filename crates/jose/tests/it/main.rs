//! What the library takes, refuses and makes, item by item of the contract.

#![allow(clippy::unwrap_used, reason = "tests")]

mod json;
mod jws_compact;
mod jwt_policy;
mod keys;
mod support;
