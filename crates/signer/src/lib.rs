//! Private keys and secrets: sealed at rest, kept in memory, used for whoever asks, shown to nobody.

mod error;
mod hex;
mod master;
mod random;
mod seal;
mod secret;

pub use error::Error;
pub use master::{MASTER_PASSPHRASE_CHARS_MIN, MasterSource};
pub use random::RandomPool;
pub use seal::{Founding, INSTALL_SALT_OWNER, Keeper, Label, SealedBox, WrappedKek};
pub use secret::Secret;
