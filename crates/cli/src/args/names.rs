//! Names of algorithms as they are typed: looked up once, in the rows of `jose`, which `--help` and completions list.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jose::jwa::{ContentEncryption, Grade, KeyAlgorithm, SignatureAlgorithm};

/// What a new key is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Signing.
    Sign(&'static SignatureAlgorithm),
    /// Encryption.
    Encrypt(&'static KeyAlgorithm),
}

/// The `alg` of a JWS.
pub(crate) fn signature_algorithm() -> impl TypedValueParser<Value = &'static SignatureAlgorithm> {
    PossibleValuesParser::new(signature_names()).try_map(|name| SignatureAlgorithm::by_name(&name))
}

/// The `alg` of a JWE.
pub(crate) fn key_algorithm() -> impl TypedValueParser<Value = &'static KeyAlgorithm> {
    PossibleValuesParser::new(key_names()).try_map(|name| KeyAlgorithm::by_name(&name))
}

/// The `enc` of a JWE.
pub(crate) fn content_encryption() -> impl TypedValueParser<Value = &'static ContentEncryption> {
    let names = ContentEncryption::ALL.iter().map(|row| PossibleValue::new(row.name));
    PossibleValuesParser::new(names).try_map(|name| ContentEncryption::by_name(&name))
}

/// The `alg` of a JWS or a JWE.
pub(crate) fn purpose() -> impl TypedValueParser<Value = Purpose> {
    PossibleValuesParser::new(signature_names().chain(key_names())).try_map(|name| {
        SignatureAlgorithm::by_name(&name)
            .map(Purpose::Sign)
            .or_else(|_| KeyAlgorithm::by_name(&name).map(Purpose::Encrypt))
    })
}

fn signature_names() -> impl Iterator<Item = PossibleValue> {
    SignatureAlgorithm::ALL.iter().map(|row| possible(row.name, row.grade))
}

fn key_names() -> impl Iterator<Item = PossibleValue> {
    KeyAlgorithm::ALL.iter().map(|row| possible(row.name, row.grade))
}

/// A gap is not listed, yet its name is answered with the reason.
fn possible(name: &'static str, grade: Grade) -> PossibleValue {
    PossibleValue::new(name).hide(matches!(grade, Grade::Gap(_)))
}
