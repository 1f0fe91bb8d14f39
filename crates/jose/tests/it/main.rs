//! What the library takes, refuses and makes, item by item of the contract.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chains;
#[cfg(target_os = "linux")]
mod faults;
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
