//! What can go wrong between a master key and a sealed secret. No variant holds a secret.

use std::path::PathBuf;

/// Why a secret was not sealed or not opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No source of the master key is named.
    #[error("no master key is named; name a file, a passphrase or an environment variable")]
    NoMasterKey,
    /// More than one source of the master key is named.
    #[error("the master key is named twice, as {first} and as {second}; name one of them")]
    SeveralMasterKeys {
        /// One source.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// The file of the master key cannot be read or written.
    #[error("cannot {doing} the master key file {}: {source}", path.display())]
    MasterKeyFile {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Others than the owner may read the file of the master key.
    #[error("the master key file {} has mode {mode:04o}; run `chmod 600` on it", path.display())]
    MasterKeyOpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file or variable holds something else than a master key.
    #[error("{place} does not hold a master key: 64 hexadecimal digits, as `openssl rand -hex 32` writes them")]
    MasterKeyForm {
        /// The file or variable.
        place: String,
    },
    /// A new passphrase is too short to protect a store.
    #[error("the passphrase has {found} characters, at least {min} are needed")]
    PassphraseTooShort {
        /// Its length in characters.
        found: usize,
        /// The least length.
        min: usize,
    },
    /// The master key is not the one that this store was sealed under.
    #[error("wrong_master_key: {why}")]
    WrongMasterKey {
        /// What tells them apart.
        why: String,
    },
    /// The store's root rows say something that this program does not know.
    #[error("the root of the store cannot be read: {why}")]
    Root {
        /// What is unknown or broken.
        why: &'static str,
    },
    /// A box does not open: it was altered, or it is another owner's or store's.
    #[error("the sealed secret of `{owner}` does not open: it was altered, or it belongs elsewhere")]
    Unopenable {
        /// Whose box it is.
        owner: String,
    },
    /// A box lies under a key that is not there.
    #[error("the sealed secret of `{owner}` lies under key `{kek_id}`, which the store does not have")]
    UnknownKek {
        /// Whose box it is.
        owner: String,
        /// The key it names.
        kek_id: String,
    },
    /// A key does not do for its ring.
    #[error("the key is refused: {why}")]
    KeyRefused {
        /// What is wrong with it.
        why: String,
    },
    /// The token that keeps a key did not do what it was asked for.
    #[error(transparent)]
    Hsm(#[from] crate::pkcs11::HsmFault),
    /// The system gives no random octets.
    #[error("the source of random octets failed")]
    Random,
}

impl Error {
    /// The fixed name of this kind of error, for logs, replies and exit texts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoMasterKey => "no_master_key",
            Self::SeveralMasterKeys { .. } => "several_master_keys",
            Self::MasterKeyFile { .. } => "master_key_file",
            Self::MasterKeyOpenToOthers { .. } => "master_key_open_to_others",
            Self::MasterKeyForm { .. } => "master_key_form",
            Self::PassphraseTooShort { .. } => "passphrase_too_short",
            Self::WrongMasterKey { .. } => "wrong_master_key",
            Self::Root { .. } => "root_unreadable",
            Self::Unopenable { .. } => "secret_unopenable",
            Self::UnknownKek { .. } => "kek_unknown",
            Self::KeyRefused { .. } => "key_refused",
            Self::Hsm(fault) => fault.code(),
            Self::Random => "random",
        }
    }
}

impl Error {
    /// What the library says of a key that it does not take.
    pub(crate) fn refused(error: jose::Error) -> Self {
        if matches!(error, jose::Error::Random) { Self::Random } else { Self::KeyRefused { why: error.to_string() } }
    }
}

impl From<jose::RandomError> for Error {
    fn from(_: jose::RandomError) -> Self {
        Self::Random
    }
}
