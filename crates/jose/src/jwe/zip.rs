//! Compression (RFC 7516 section 4.1.3, RFC 1951), with a bound that holds while inflating.

use miniz_oxide::{
    deflate::compress_to_vec,
    inflate::{TINFLStatus, decompress_to_vec_with_limit},
};
use zeroize::Zeroizing;

use crate::Error;

/// Most octets that a compressed plaintext may become.
pub const INFLATED_BYTES_MAX: usize = 256_000;
const LEVEL: u8 = 6;

pub(super) fn deflate(plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    if plaintext.len() > INFLATED_BYTES_MAX {
        return Err(too_large());
    }
    Ok(compress_to_vec(plaintext, LEVEL))
}

pub(super) fn inflate(compressed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    match decompress_to_vec_with_limit(compressed, INFLATED_BYTES_MAX) {
        Ok(plaintext) => Ok(Zeroizing::new(plaintext)),
        Err(error) if error.status == TINFLStatus::HasMoreOutput => Err(too_large()),
        Err(_) => Err(Error::malformed("the plaintext is no DEFLATE stream")),
    }
}

fn too_large() -> Error {
    Error::TooLarge { what: "the plaintext", max: INFLATED_BYTES_MAX, unit: "octets" }
}
