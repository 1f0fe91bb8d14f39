//! JSON Object Signing and Encryption: JWA, JWK, JWS, JWE and JWT, one module per RFC, without a clock or I/O.

pub mod base64url;
mod error;
pub mod json;
mod random;

pub use error::Error;
pub use random::{Random, RandomError};
