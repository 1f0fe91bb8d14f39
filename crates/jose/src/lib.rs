//! JSON Object Signing and Encryption: JWA, JWK, JWS, JWE and JWT, one module per RFC, without a clock or I/O.

pub mod base64url;
mod der;
mod error;
mod header;
mod header_plan;
pub mod json;
pub mod jwa;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod jwt;
mod key_der;
mod peek;
mod pem;
mod private;
mod random;
pub mod x509;

pub use error::Error;
pub use header::{JOSE_HEADER_BYTES_MAX, JoseHeader};
pub use key_der::{KeyForm, PrivateDer};
pub use peek::{Layer, Peeked, Unverified, peek};
pub use private::{
    DecryptionKey, EncryptionKey, KeyKind, PrivateJwk, RSA_PRIVATE_EXPONENT_MIN, RsaBits, SecretForm, SigningKey,
    VerifyingKey,
};
pub use random::{Random, RandomError};
