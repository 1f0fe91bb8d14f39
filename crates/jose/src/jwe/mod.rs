//! JSON Web Encryption (RFC 7516): compact, flattened and general, written and read.

mod decrypt;
mod encrypt;
mod json;
mod zip;

pub use crate::{
    jwa::pbes2::{
        PBES2_COUNT_MAX, PBES2_COUNT_MIN, PBES2_COUNT_SETTABLE_MAX, PBES2_COUNT_WRITTEN, PBES2_SALT_BYTES_MAX,
        PBES2_SALT_BYTES_MIN, PBES2_SALT_BYTES_WRITTEN, PBES2_WORK_MAX,
    },
    private::GCM_MESSAGES_MAX,
};
pub use decrypt::{Decrypted, Decrypter, DecryptionKeys};
pub use encrypt::{EncryptionOptions, EncryptionPlan};
pub use json::{RECIPIENTS_MAX, encrypt_general};
pub use zip::INFLATED_BYTES_MAX;
