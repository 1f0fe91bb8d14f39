//! What this process last saw of its store, in a small file beside it, so that a store that was rolled back is told from
//! one that was not.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use store::{Epochs, Store};

use super::VaultError;

/// The file in the data folder.
pub const HEAD_FILE: &str = "head.json";

/// The note, and what stands in it.
pub(super) struct HeadFile {
    path: PathBuf,
    noted: Mutex<Option<Head>>,
}

/// How far a store had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    store_id: String,
    audit_rows: u64,
    /// The hash of the last of them, base64url.
    audit_hash: String,
    epochs: BTreeMap<String, u64>,
}

impl HeadFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(HEAD_FILE), noted: Mutex::new(None) }
    }

    /// Holds the store to the note. Without a note every store is as new as any.
    ///
    /// # Errors
    /// [`VaultError::RolledBack`], also for a note that cannot be read: it is not known to be older than the store.
    pub(super) fn check(&self, store: &Store) -> Result<(), VaultError> {
        let rolled_back = |why: String| Err(VaultError::RolledBack { why });
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return rolled_back(format!("{} cannot be read: {error}", self.path.display())),
        };
        let Ok(noted) = serde_json::from_slice::<Head>(&text) else {
            return rolled_back(format!("{} is not what was written", self.path.display()));
        };
        if noted.store_id != store.store_id() {
            return rolled_back("it is another store than the one that was served here".to_owned());
        }
        let last = noted.audit_rows.checked_sub(1).map(|before| store.audit_rows(before, 1)).transpose()?;
        let hash = last.and_then(|rows| rows.first().map(|row| jose::base64url::encode(&row.hash.0)));
        if hash.as_deref() != Some(&noted.audit_hash) {
            return rolled_back(format!("its audit lacks row {}, which was there", noted.audit_rows));
        }
        let epochs = of_rings(&store.epochs()?);
        let behind = noted.epochs.iter().find(|(ring, epoch)| epochs.get(*ring).is_none_or(|now| now < *epoch));
        match behind {
            Some((ring, epoch)) => rolled_back(format!("ring {ring} had come to change {epoch}")),
            None => Ok(()),
        }
    }

    /// Notes how far the store is, if it is further than noted.
    ///
    /// # Errors
    /// When the store cannot be read or the note cannot be written; the old one stays.
    pub(super) fn note(&self, store: &Store) -> Result<(), VaultError> {
        let (last, epochs) = (store.audit_head()?, store.epochs()?);
        let head = Head {
            store_id: store.store_id().to_owned(),
            audit_rows: last.seq,
            audit_hash: jose::base64url::encode(&last.hash.0),
            epochs: of_rings(&epochs),
        };
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.as_ref() == Some(&head) {
            return Ok(());
        }
        self.write(&head).map_err(|error| VaultError::Aside { file: HEAD_FILE, error })?;
        *noted = Some(head);
        Ok(())
    }

    /// Whole or not at all: half a note would pass for a rollback.
    fn write(&self, head: &Head) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(head)?)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
    }
}

fn of_rings(epochs: &Epochs) -> BTreeMap<String, u64> {
    epochs.of_rings.iter().cloned().collect()
}
