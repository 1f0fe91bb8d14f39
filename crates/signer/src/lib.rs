//! Private keys and secrets: sealed at rest, kept in memory, used for whoever asks, shown to nobody.

mod brought;
mod cached;
mod error;
mod fault;
mod hex;
mod master;
mod pkcs11;
mod random;
mod reseal;
mod ring_key;
#[cfg(test)]
mod ring_key_tests;
mod seal;
mod secret;
mod secrets;
mod software;
#[cfg(test)]
mod software_tests;
mod variable;

pub use brought::{Brought, Decryption, Form, Kid, Layer, SecretText, Signed, Verification, Verified};
pub use error::Error;
pub use fault::{Fault, FaultKind, Refusal};
pub use master::{MASTER_PASSPHRASE_CHARS_MIN, MasterSource};
pub use pkcs11::{HeldPair, Hsm, HsmFault, HsmKey, HsmSettings, MadePair, SIGN_DEADLINE};
pub use random::RandomPool;
pub use reseal::NewKek;
pub use ring_key::{OpenKey, Place, RingKey, Unsigned, export};
pub use seal::{Founding, INSTALL_SALT_OWNER, Keeper, Label, SealedBox, WrappedKek};
pub use secret::Secret;
pub use secrets::Environment;
pub use software::{KeyName, Minted, Minter, Software, TokenVerifier};
