//! PBES2: a key encryption key from a password (RFC 7518 section 4.8).

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::{AesSize, Sha2};

/// Fewest rounds that are read.
pub const PBES2_COUNT_MIN: u32 = 1_000;
/// Most rounds that are read, unless the caller sets more.
pub const PBES2_COUNT_MAX: u32 = 10_000;
/// The largest bound that a caller may set.
pub const PBES2_COUNT_SETTABLE_MAX: u32 = 1_000_000;
/// Rounds that are written, since peers cap low.
pub const PBES2_COUNT_WRITTEN: u32 = 8_192;
/// Fewest octets of a salt.
pub const PBES2_SALT_BYTES_MIN: usize = 8;
/// Most octets of a salt.
pub const PBES2_SALT_BYTES_MAX: usize = 64;
/// Octets of a salt that is written.
pub const PBES2_SALT_BYTES_WRITTEN: usize = 16;
/// Most rounds that one token may cost, all recipients together.
pub const PBES2_WORK_MAX: u32 = 10_000;

/// The key encryption key of a password; `alg` and a zero octet go before the salt.
pub(crate) fn derive(
    alg: &str,
    hash: Sha2,
    size: AesSize,
    count: NonZeroU32,
    salt: &[u8],
    password: &[u8],
) -> Zeroizing<Vec<u8>> {
    let algorithm = match hash {
        Sha2::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Sha2::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Sha2::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let salt = [alg.as_bytes(), &[0], salt].concat();
    let mut key = Zeroizing::new(vec![0; size.octets()]);
    pbkdf2::derive(algorithm, count, &salt, password, &mut key);
    key
}
