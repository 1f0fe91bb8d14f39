//! JSON Object Signing and Encryption: JWA, JWK, JWS, JWE and JWT, one module per RFC, without a clock or I/O.
//!
//! | module | standard |
//! |---|---|
//! | [`jwa`] | the table of algorithms: RFC 7518, 8037, 8812, 9864, 9964 |
//! | [`jwk`] | keys and sets of them: RFC 7517, 7638, 9278 |
//! | [`jws`] | signed tokens: RFC 7515, 7797 |
//! | [`jwe`] | encrypted tokens: RFC 7516 |
//! | [`jwt`] | claims, their validation, nested tokens: RFC 7519, 8725 |
//! | [`json`], [`base64url`], [`x509`] | what the others are written in |
//!
//! Three things are handed in, never taken: the time ([`jwt::NumericDate`]), randomness ([`Random`]), and the list of
//! algorithms that a reader takes. Keys are read and checked once, bound to one algorithm, and used often:
//!
//! ```
//! use jose::{PrivateJwk, SigningKey, VerifyingKey, jwa::{SignatureAlgorithm, Switches}};
//! use jose::{jws::{HeaderPlan, ProtectedHeader, Verifier}, jwt::{NumericDate, Policy}};
//!
//! let hs256 = SignatureAlgorithm::by_name("HS256")?;
//! let secret = PrivateJwk::from_octets(b"a secret of thirty-two octets ..")?;
//! let key = SigningKey::new(hs256, &secret, Switches::NONE)?;
//! let header = ProtectedHeader::encode(&HeaderPlan::jwt(), hs256, key.kid(), key.public())?;
//! let mut token = Vec::new();
//! key.sign_compact(&header, br#"{"sub":"alice","exp":1760003600}"#, &mut token)?;
//!
//! let token = String::from_utf8(token).expect("a compact token is ASCII");
//! let key = VerifyingKey::from_private(hs256, &secret, Switches::NONE)?;
//! let read = Verifier::new(&[hs256])?.verify(&token, &key)?;
//! let now = NumericDate::from_secs(1_760_000_000);
//! let claims = Policy::default().validate(read.header.typ(), &read.payload, now)?;
//! assert_eq!(claims.get("sub").and_then(|sub| sub.as_text()), Some("alice"));
//! # Ok::<(), jose::Error>(())
//! ```

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
