//! Every public key that was served from here, in a file beside the store: what a restored backup lacks is found there.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use keyring::EventKind;
use serde::{Deserialize, Serialize};
use store::{RingRows, RingWorld};

/// The file in the data folder, a key a line.
pub const ARCHIVE_FILE: &str = "served-keys.jsonl";

/// The largest archive that is read, in octets: a hundred thousand keys.
const ARCHIVE_BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// One line: a key that was served, or that a served key was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    tenant: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_jwk: Option<String>,
}

/// A key that was served and not revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKey {
    /// Whose set showed it.
    pub tenant: String,
    /// Its `kid`.
    pub kid: String,
    /// Its public half as JWK text.
    pub public_jwk: String,
}

/// The archive.
pub(super) struct Archive {
    path: PathBuf,
    /// What stands in the file, read when it is first needed: tenant, kid, and whether it is the word of its end.
    known: Mutex<Option<HashSet<(String, String, bool)>>>,
}

impl Archive {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(ARCHIVE_FILE), known: Mutex::new(None) }
    }

    /// Leaves what another store of this folder showed out of this one's: it is renamed.
    pub(super) fn set_aside(&self) -> io::Result<()> {
        match std::fs::rename(&self.path, self.path.with_extension("jsonl.old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Adds the keys of these rings that are not in it.
    pub(super) fn keep(&self, world: &RingWorld) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = Some(self.read()?.iter().map(named).collect());
        }
        let known = known.get_or_insert_default();
        let new: Vec<Line> = world.rings.iter().flat_map(lines).filter(|line| !known.contains(&named(line))).collect();
        if !new.is_empty() {
            self.append(&new)?;
            known.extend(new.iter().map(named));
        }
        Ok(())
    }

    /// Every key that was served and not revoked, the first served first.
    pub(super) fn served(&self) -> io::Result<Vec<ServedKey>> {
        let lines = self.read()?;
        let ended: HashSet<_> = lines.iter().filter(|line| line.public_jwk.is_none()).map(name).collect();
        let kept = lines.iter().filter(|line| !ended.contains(&name(line)));
        let key = |line: &Line| {
            let public_jwk = line.public_jwk.clone()?;
            Some(ServedKey { tenant: line.tenant.clone(), kid: line.kid.clone(), public_jwk })
        };
        Ok(kept.filter_map(key).collect())
    }

    /// A line that was cut off by a crash is none: it was not served yet.
    fn read(&self) -> io::Result<Vec<Line>> {
        let mut text = String::new();
        match File::open(&self.path) {
            Ok(file) => file.take(ARCHIVE_BYTES_MAX).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    fn append(&self, lines: &[Line]) -> io::Result<()> {
        // It begins with a line end, in case the last writer was cut off.
        let mut text = String::from("\n");
        for line in lines {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }
}

/// What the archive holds of a ring.
fn lines(rows: &RingRows) -> impl Iterator<Item = Line> {
    let line =
        |row: &store::GenerationRow, public_jwk| Line { tenant: rows.tenant.clone(), kid: row.kid.clone(), public_jwk };
    rows.generations.iter().filter(|row| row.is_whole && row.public_jwk.is_some()).flat_map(move |row| {
        let is_revoked = rows.events.iter().any(|event| event.n == row.n && event.kind == EventKind::Revoked);
        std::iter::once(line(row, row.public_jwk.clone())).chain(is_revoked.then(|| line(row, None)))
    })
}

fn name(line: &Line) -> (String, String) {
    (line.tenant.clone(), line.kid.clone())
}

fn named(line: &Line) -> (String, String, bool) {
    (line.tenant.clone(), line.kid.clone(), line.public_jwk.is_none())
}
