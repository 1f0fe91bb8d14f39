//! Where copies of audit rows go: a file, a named pipe or a socket of this machine, a JSON object a line.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use store::{AuditRow, Digest};

/// How long a sink may take nothing before it counts as blocked.
const BLOCKED_AFTER: Duration = Duration::from_secs(1);
/// How often a sink that takes nothing is tried meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// Where a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkPlace {
    /// `file:PATH`: a file that is appended to, or a named pipe.
    File(PathBuf),
    /// `unix:PATH`: a stream socket that a collector listens on.
    Socket(PathBuf),
}

impl SinkPlace {
    /// The same place, its path relative to this folder.
    #[must_use]
    pub fn below(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            Self::Socket(path) => Self::Socket(folder.join(path)),
        }
    }
}

/// A sink, open while it answers.
pub(super) struct Out {
    place: SinkPlace,
    held: Option<Held>,
    /// What of a line is not written yet: a sink that blocks in the middle of one gets the rest later.
    rest: Vec<u8>,
    /// The number of the last row that this stream has whole: a round that ended early is not repeated into it.
    sent: u64,
}

enum Held {
    File(File),
    Pipe(File),
    Socket(UnixStream),
}

impl Out {
    pub(super) fn new(place: SinkPlace) -> Self {
        Self { place, held: None, rest: Vec::new(), sent: 0 }
    }

    /// Opens what is not open, or not where its name leads any more.
    pub(super) fn ready(&mut self) -> io::Result<()> {
        if self.held.as_ref().is_some_and(|held| self.is_gone(held)) {
            self.held = None;
        }
        if self.held.is_none() {
            // Another stream gets whole lines, and all that is not known to be kept.
            self.rest.clear();
            self.sent = 0;
            self.held = Some(self.open()?);
        }
        Ok(())
    }

    /// Writes one row, in the order of their numbers. A row that was begun is gone on with.
    pub(super) fn write(&mut self, store_id: &str, row: &AuditRow) -> io::Result<()> {
        if row.seq <= self.sent {
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest = line(store_id, row);
        }
        let written = self.write_rest();
        match &written {
            Ok(()) => self.sent = row.seq,
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            Err(_) => self.held = None,
        }
        written
    }

    /// Returns when what was written is kept, as far as this kind of sink tells.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.held {
            Some(Held::File(file)) => file.sync_data(),
            Some(Held::Pipe(_) | Held::Socket(_)) | None => Ok(()),
        }
    }

    fn write_rest(&mut self) -> io::Result<()> {
        let mut since = Instant::now();
        while !self.rest.is_empty() {
            let taken = match &mut self.held {
                Some(Held::File(out) | Held::Pipe(out)) => out.write(&self.rest),
                Some(Held::Socket(out)) => out.write(&self.rest),
                None => Err(ErrorKind::NotConnected.into()),
            };
            match taken {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(octets) => {
                    self.rest.drain(..octets);
                    since = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && since.elapsed() < BLOCKED_AFTER => {
                    std::thread::sleep(TRY_EVERY);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "the audit sink takes nothing"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn open(&self) -> io::Result<Held> {
        let named = |path: &PathBuf, error: io::Error| {
            io::Error::new(error.kind(), format!("the audit sink {}: {error}", path.display()))
        };
        match &self.place {
            SinkPlace::File(path) => {
                let mut options = std::fs::OpenOptions::new();
                // A pipe without a reader is refused at once, and a full one does not block.
                let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
                let file = options.append(true).create(true).mode(0o600).custom_flags(flags).open(path);
                let file = file.map_err(|error| named(path, error))?;
                let is_pipe = file.metadata()?.file_type().is_fifo();
                Ok(if is_pipe { Held::Pipe(file) } else { Held::File(file) })
            }
            SinkPlace::Socket(path) => {
                let stream = UnixStream::connect(path).map_err(|error| named(path, error))?;
                stream.set_nonblocking(true)?;
                Ok(Held::Socket(stream))
            }
        }
    }

    fn is_gone(&self, held: &Held) -> bool {
        match (held, &self.place) {
            (Held::File(file) | Held::Pipe(file), SinkPlace::File(path)) => {
                let pair = (file.metadata(), std::fs::metadata(path));
                let (Ok(held), Ok(named)) = pair else { return true };
                (held.dev(), held.ino()) != (named.dev(), named.ino())
            }
            // A collector that went away has closed its end; it never says anything.
            (Held::Socket(stream), _) => {
                let mut octet = [0];
                !matches!(io::Read::read(&mut &*stream, &mut octet), Err(error) if error.kind() == ErrorKind::WouldBlock)
            }
            (Held::File(_) | Held::Pipe(_), SinkPlace::Socket(_)) => true,
        }
    }
}

/// One row as it is shipped: every column that its hash covers, and the hash.
fn line(store_id: &str, row: &AuditRow) -> Vec<u8> {
    let digest = |digest: &Digest| jose::base64url::encode(&digest.0);
    let told = json!({
        "store": store_id,
        "seq": row.seq,
        "at_us": row.at_us,
        "actor": row.actor,
        "address": row.address,
        "action": row.action,
        "object": row.object,
        "digest_before": row.before.as_ref().map(digest),
        "digest_after": row.after.as_ref().map(digest),
        "result": row.result,
        "request_id": row.request_id,
        "prev_hash": digest(&row.prev_hash),
        "hash": digest(&row.hash),
    });
    let mut line = told.to_string().into_bytes();
    line.push(b'\n');
    line
}
