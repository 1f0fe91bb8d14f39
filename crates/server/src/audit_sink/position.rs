//! How far the audit was shipped, in a small file beside the store.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::{AuditRow, Store};

/// The file in the data folder.
pub const SHIPPED_FILE: &str = "audit-shipped.json";

/// The place in the chain behind which nothing is shipped yet.
pub(super) struct Position {
    path: PathBuf,
    last: Option<Last>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Last {
    seq: u64,
    /// Base64url.
    hash: String,
}

impl Position {
    /// Reads the note; one that is of another chain than the store's counts for nothing, and all is shipped anew.
    pub(super) fn open(folder: &Path, store: &Store) -> io::Result<Self> {
        let path = folder.join(SHIPPED_FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { path, last: None }),
            Err(error) => return Err(error),
        };
        let last: Option<Last> = serde_json::from_slice(&text).ok();
        let is_ours = |last: &Last| {
            let row = store.audit_rows(last.seq.saturating_sub(1), 1).ok().and_then(|rows| rows.into_iter().next());
            row.is_some_and(|row| row.seq == last.seq && jose::base64url::encode(&row.hash.0) == last.hash)
        };
        Ok(Self { path, last: last.filter(is_ours) })
    }

    /// The number of the last row that was shipped, 0 before the first.
    pub(super) fn shipped(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.seq)
    }

    /// Notes that everything up to this row is shipped. A note that a crash swallows has rows shipped twice, never none.
    pub(super) fn note(&mut self, row: &AuditRow) -> io::Result<()> {
        let last = Last { seq: row.seq, hash: jose::base64url::encode(&row.hash.0) };
        let beside = self.path.with_extension("new");
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        io::Write::write_all(&mut file, &serde_json::to_vec(&last)?)?;
        std::fs::rename(&beside, &self.path)?;
        self.last = Some(last);
        Ok(())
    }
}
