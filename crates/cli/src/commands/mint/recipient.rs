//! Whom a token is encrypted to, if to anybody.

use jose::EncryptionKey;
use jose::jwa::{KeyAlgorithm, KeyFamily};
use jose::jwk::Jwk;
use server::mint::{Envelope, Serialization};

use crate::args::mint::{EncryptionArguments, MintArguments, SerializationArgument};
use crate::commands::key;
use crate::exit::Failure;
use crate::input::{Inputs, KeyArgument};
use crate::voice::Voice;

/// The outer form of the tokens.
pub(super) fn envelope(arguments: &MintArguments, inputs: &Inputs, voice: Voice) -> Result<Envelope, Failure> {
    let serialization = match arguments.serialization {
        SerializationArgument::Compact => Serialization::Compact,
        SerializationArgument::Flattened => Serialization::Flattened,
        SerializationArgument::General => Serialization::General,
    };
    let EncryptionArguments { encrypt_to, key_alg, enc } = &arguments.encryption;
    let Some(from) = encrypt_to else { return Ok(Envelope::signed(serialization)) };
    let key = encryption_key(from, *key_alg, arguments, inputs)?;
    key::warn_of(key.acted(), voice);
    Envelope::encrypted(key, enc, serialization).map_err(|error| key::refused(&error))
}

fn encryption_key(
    from: &KeyArgument,
    named: Option<&'static KeyAlgorithm>,
    arguments: &MintArguments,
    inputs: &Inputs,
) -> Result<EncryptionKey, Failure> {
    let switches = key::switches(&arguments.allow);
    let refused = |error| key::refused(&error).at(from);
    if let Some(row) = named.filter(|row| matches!(row.family, KeyFamily::Pbes2(..))) {
        let password = key::passphrase(inputs, from)?;
        return EncryptionKey::from_password(row, password.as_bytes(), switches).map_err(refused);
    }
    let jwk = key::read_for_encryption(from, named, inputs)?;
    let row = match named {
        Some(row) => row,
        None => key::own_key_algorithm(&jwk)?
            .or_else(|| KeyAlgorithm::default_for(jwk.shape()))
            .ok_or_else(|| Failure::usage(format!("{from}: no algorithm encrypts to such a key")))?,
    };
    let key = match &jwk {
        Jwk::Public(jwk) => EncryptionKey::new(row, jwk, switches),
        Jwk::Private(jwk) => EncryptionKey::from_secret(row, jwk, switches),
    };
    key.map_err(refused)
}
