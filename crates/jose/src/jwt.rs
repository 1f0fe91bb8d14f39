//! JSON Web Token (RFC 7519): claims, NumericDate, and a validation policy as a value.

mod companions;
mod nested;
mod numeric_date;
mod policy;

pub use nested::{NESTING_MAX, NestedReader, Opened};
pub use numeric_date::{NUMERIC_DATE_SECS_MAX, NumericDate};
pub use policy::{ExpRule, IatRule, JTI_BYTES_MAX, LEEWAY_SECS_MAX, Leeway, Policy};

use crate::{
    Error,
    json::{Limits, Object, Value},
};

/// Reads the claims of a payload: a JSON object, no member twice at any depth.
///
/// # Errors
/// [`Error::Malformed`].
pub fn claims(payload: &[u8]) -> Result<Object, Error> {
    match Value::parse(payload, Limits::CLAIMS)? {
        Value::Object(claims) => Ok(claims),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Array(_) => {
            Err(Error::malformed("the claims are no JSON object"))
        }
    }
}
