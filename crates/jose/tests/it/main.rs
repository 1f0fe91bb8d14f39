//! What the library takes, refuses and makes, item by item of the contract.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chains;
mod hostile;
mod json;
mod jwe;
mod jws_compact;
mod jws_json;
mod jwt_policy;
mod keys;
mod nested;
mod secrets;
mod support;
