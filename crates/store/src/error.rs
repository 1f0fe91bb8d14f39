//! Every way in which the store refuses, one variant a misdeed.

use std::path::PathBuf;

/// Why the store did not do it. Nothing was written in any of these cases but [`Error::Unsure`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no store in the folder.
    #[error("there is no store in {}; `chancery init` makes one", folder.display())]
    NoStore {
        /// The data folder.
        folder: PathBuf,
    },
    /// `init` met a store.
    #[error("{} holds a store already; nothing was changed", folder.display())]
    AlreadyInitialized {
        /// The data folder.
        folder: PathBuf,
    },
    /// The root is gone, but what it protected is still there.
    #[error(
        "the store has {rows} rows in `{table}` but no root to open them with; restore a whole backup, since a new \
         root could open none of them"
    )]
    RowsWithoutRoot {
        /// A table that holds rows.
        table: &'static str,
        /// How many.
        rows: u64,
    },
    /// Another process owns the data folder.
    #[error(
        "{} is in use by {holder}; a running server takes store commands over its control socket", folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The process that holds it, as far as it left its number.
        holder: String,
    },
    /// The folder lies on a file system whose locks and syncs do not hold.
    #[error(
        "{} lies on a network file system ({kind}), where a database loses data; use a local disk, or PostgreSQL",
        folder.display()
    )]
    NetworkFileSystem {
        /// The data folder.
        folder: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// Others than the owner may read or write the file.
    #[error("{} has mode {mode:04o}, open to others than its owner; run `chmod 600` on it", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A newer version wrote this store.
    #[error("the store has schema {found}, this program knows {known} and older; run the newer program")]
    SchemaTooNew {
        /// The store's schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// The database file is not whole.
    #[error(
        "the database file is damaged ({detail}); move it away and put the last backup there with `chancery restore`"
    )]
    Damaged {
        /// What the check found first.
        detail: String,
    },
    /// A row of the audit chain is not what was written.
    #[error("the audit chain breaks at row {seq}: {why}")]
    AuditBroken {
        /// The row.
        seq: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Somebody else deployed in between.
    #[error("the live revision is {live}, not {over}; load it and try again")]
    StaleRevision {
        /// The revision that the caller meant to replace, 0 for none.
        over: u64,
        /// The one that is live, 0 for none.
        live: u64,
    },
    /// A name is empty.
    #[error("the {what} is empty")]
    EmptyName {
        /// Which name.
        what: &'static str,
    },
    /// Something is larger than its bound.
    #[error("the {what} has {found_bytes} octets, at most {max_bytes} are allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        found_bytes: usize,
        /// The bound.
        max_bytes: usize,
    },
    /// An event of a ring is not what was written.
    #[error("the events of ring {ring_id} break at number {seq}: {why}")]
    RingBroken {
        /// The ring.
        ring_id: String,
        /// The number of the event.
        seq: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no such ring.
    #[error("there is no ring {ring_id}; `chancery keys list` shows those that are")]
    NoRing {
        /// The id.
        ring_id: String,
    },
    /// There is no such generation.
    #[error("ring {ring_id} has no generation {n}")]
    NoGeneration {
        /// The ring.
        ring_id: String,
        /// The number.
        n: u32,
    },
    /// A ring of this name is there.
    #[error("there is a ring {ring_id} already; nothing was changed")]
    RingExists {
        /// The id.
        ring_id: String,
    },
    /// A name that cannot stand in a ring's id.
    #[error("`{name}` is no {what}: small letters, digits, `-`, `_` and `.` are, a letter or digit first")]
    RingName {
        /// Which name.
        what: &'static str,
        /// What was given.
        name: String,
    },
    /// A timing under which a token could be lost.
    #[error("{why}")]
    Timing {
        /// The inequality, its values and what is missing.
        why: String,
    },
    /// The key set is at its bound.
    #[error("the key set shows {max} keys already; revoke or wait for some of them before another is made")]
    KeySetFull {
        /// The bound.
        max: usize,
    },
    /// The key is there already.
    #[error("the key is generation {n} of ring {ring_id} already")]
    KeyKnown {
        /// The ring that has it.
        ring_id: String,
        /// Its number there.
        n: u32,
    },
    /// There is no such key for boxes.
    #[error("the store has no KEK {kek_id}; `chancery kek list` shows those that it has")]
    NoKek {
        /// The id.
        kek_id: String,
    },
    /// New boxes lie under this key.
    #[error("KEK {kek_id} is the one that new boxes lie under; `chancery kek renew` makes another")]
    KekPrimary {
        /// The id.
        kek_id: String,
    },
    /// Boxes lie under this key.
    #[error("{boxes} boxes lie under KEK {kek_id}; `chancery kek reseal` moves them, nothing opens them without it")]
    KekInUse {
        /// The id.
        kek_id: String,
        /// How many.
        boxes: u64,
    },
    /// The last backup may need this key.
    #[error("the last backup is older than the last move of boxes and may name KEK {kek_id}; make a backup first")]
    KekInBackup {
        /// The id.
        kek_id: String,
    },
    /// A part of a change failed and took the whole change with it.
    #[error("an earlier part of this change failed and ended it; nothing of it was kept")]
    ChangeBroken,
    /// The file system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the database refused: {0}")]
    Database(rusqlite::Error),
    /// The database server refused.
    #[error("the database refused: {message} ({sqlstate})")]
    Server {
        /// What it said.
        message: String,
        /// Its code for that (PostgreSQL manual, appendix A).
        sqlstate: String,
    },
    /// The database server does not answer, or not as a primary.
    #[error("the database does not answer: {why}")]
    Away {
        /// What was seen of it.
        why: String,
    },
    /// The database server went away in the very moment of a commit: what was asked for may be there or not.
    #[error("the database went away while it committed ({why}); look whether the change is there before trying again")]
    Unsure {
        /// What was seen of it.
        why: String,
    },
    /// Others changed the store at the same moment, again and again.
    #[error("others changed the store at the same moment ({why}); nothing was changed, try again")]
    Clash {
        /// What the database said.
        why: String,
    },
    /// The address of a PostgreSQL store cannot be used.
    #[error("the URL of the store cannot be used: {why}")]
    Address {
        /// What is wrong with it; nothing of it is repeated.
        why: &'static str,
    },
    /// Copies of the audit are wanted and cannot be kept.
    #[error("nothing was changed, since the audit sink is away: {why}; see audit.sink in the settings")]
    AuditAway {
        /// What is wrong with it.
        why: String,
    },
    /// This kind of store does not do that itself.
    #[error("{what} is not for a store on PostgreSQL; {remedy}")]
    NotHere {
        /// What was asked for.
        what: &'static str,
        /// What to do in place of it.
        remedy: &'static str,
    },
}

impl Error {
    /// The fixed name of this kind of error, for logs, replies and exit texts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStore { .. } => "no_store",
            Self::AlreadyInitialized { .. } => "already_initialized",
            Self::RowsWithoutRoot { .. } => "rows_without_root",
            Self::InUse { .. } => "store_in_use",
            Self::NetworkFileSystem { .. } => "network_file_system",
            Self::OpenToOthers { .. } => "store_open_to_others",
            Self::SchemaTooNew { .. } => "schema_too_new",
            Self::Damaged { .. } => "store_damaged",
            Self::AuditBroken { .. } => "audit_broken",
            Self::StaleRevision { .. } => "stale_revision",
            Self::EmptyName { .. } => "empty_name",
            Self::TooLarge { .. } => "too_large",
            Self::RingBroken { .. } => "ring_broken",
            Self::NoRing { .. } => "no_ring",
            Self::NoGeneration { .. } => "no_generation",
            Self::RingExists { .. } => "ring_exists",
            Self::RingName { .. } => "ring_name",
            Self::Timing { .. } => "timing_unsafe",
            Self::KeySetFull { .. } => "key_set_full",
            Self::KeyKnown { .. } => "key_known",
            Self::NoKek { .. } => "no_kek",
            Self::KekPrimary { .. } => "kek_primary",
            Self::KekInUse { .. } => "kek_in_use",
            Self::KekInBackup { .. } => "kek_in_backup",
            Self::ChangeBroken => "change_broken",
            Self::File { .. } => "store_file",
            Self::Database(_) | Self::Server { .. } => "database",
            Self::Away { .. } => "store_away",
            Self::Unsure { .. } => "store_unsure",
            Self::Clash { .. } => "store_busy",
            Self::Address { .. } => "store_url_invalid",
            Self::AuditAway { .. } => "audit_sink_away",
            Self::NotHere { .. } => "not_on_postgresql",
        }
    }
}

impl Error {
    /// Whether the caller asked for something that cannot be; the others say that the store is not well.
    pub fn is_of_the_caller(&self) -> bool {
        match self {
            Self::StaleRevision { .. }
            | Self::EmptyName { .. }
            | Self::TooLarge { .. }
            | Self::NoRing { .. }
            | Self::NoGeneration { .. }
            | Self::RingExists { .. }
            | Self::RingName { .. }
            | Self::Timing { .. }
            | Self::KeySetFull { .. }
            | Self::KeyKnown { .. }
            | Self::NoKek { .. }
            | Self::KekPrimary { .. }
            | Self::KekInUse { .. }
            | Self::KekInBackup { .. }
            | Self::NotHere { .. } => true,
            Self::NoStore { .. }
            | Self::AlreadyInitialized { .. }
            | Self::RowsWithoutRoot { .. }
            | Self::InUse { .. }
            | Self::NetworkFileSystem { .. }
            | Self::OpenToOthers { .. }
            | Self::SchemaTooNew { .. }
            | Self::Damaged { .. }
            | Self::AuditBroken { .. }
            | Self::RingBroken { .. }
            | Self::ChangeBroken
            | Self::File { .. }
            | Self::Database(_)
            | Self::Server { .. }
            | Self::Away { .. }
            | Self::AuditAway { .. }
            | Self::Unsure { .. }
            | Self::Clash { .. }
            | Self::Address { .. } => false,
        }
    }

    /// Whether a read, write or sync of the file failed, so that nobody knows what is on the disk.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Database(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let damaged = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        );
        if damaged {
            return Self::Damaged { detail: error.to_string() };
        }
        Self::Database(error)
    }
}
