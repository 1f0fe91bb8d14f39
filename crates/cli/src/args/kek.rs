//! What may be typed behind `chancery kek`: the keys that the store is sealed with.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What may be done with the KEKs, each of which lies under the master key.
#[derive(Debug, Subcommand)]
pub(crate) enum KekCommand {
    /// List the KEKs and how many boxes lie under each.
    List,
    /// Make a new KEK and move every box under it.
    Renew,
    /// Go on with a move that ended early.
    Reseal,
    /// Delete a KEK that nothing lies under, here or in the last backup.
    Delete {
        /// Its id.
        kek: String,
    },
    /// Put every KEK under a new master key; the old one opens the store no more.
    MasterKey(MasterKeyArguments),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery kek master-key --file /run/keys/chancery-2.key
  chancery kek master-key --passphrase-file /run/keys/passphrase

Then name it in store.master_key before the next start: the settings are not changed by this.")]
#[group(required = true, multiple = false)]
pub(crate) struct MasterKeyArguments {
    /// A file with 64 hexadecimal digits; it is drawn, mode 0600, where there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A file with a passphrase.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}
