//! The data folder: who may use it, and which disks it may lie on.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::{Error, LOCK_FILE};

/// The longest note that a holder leaves in the lock file, in octets.
const HOLDER_BYTES_MAX: u64 = 64;

/// The proof that this process owns the data folder; dropping it gives the folder up.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
}

impl Drop for FolderLock {
    /// Unlocks by name: closing alone would leave the lock to a child that is between its fork and its program.
    fn drop(&mut self) {
        // A failure leaves the lock to be freed when the file is closed, right after this.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// Makes the data folder, mode 0700, unless it is there.
pub(crate) fn create(folder: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(file("create", folder))
}

/// Takes the folder for this process until the value is dropped. The kernel frees it when the process dies.
pub(crate) fn lock(folder: &Path) -> Result<FolderLock, Error> {
    let path = folder.join(LOCK_FILE);
    let mut lock_file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(file("open", &path))?;
    match rustix::fs::flock(&lock_file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(Error::InUse { folder: folder.to_owned(), holder: holder(&mut lock_file) });
        }
        Err(errno) => return Err(file("lock", &path)(errno.into())),
    }
    leave_note(&mut lock_file).map_err(file("write", &path))?;
    Ok(FolderLock { file: lock_file })
}

/// Refuses file systems where locks and syncs are promises of another machine.
pub(crate) fn refuse_network(folder: &Path) -> Result<(), Error> {
    let stat = rustix::fs::statfs(folder).map_err(|e| file("examine", folder)(e.into()))?;
    refuse_network_kind(folder, stat.f_type.cast_unsigned())
}

/// Makes an empty file of mode 0600, so that nobody else can open it between creation and first use.
pub(crate) fn create_private(path: &Path) -> Result<(), Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(file("create", path))
}

/// Makes an empty file of mode 0600 where nothing is.
pub(crate) fn create_new_private(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map(drop).map_err(file("create", path))
}

/// Waits until a file is on the disk.
pub(crate) fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|open| open.sync_all()).map_err(file("sync", path))
}

/// Refuses a file that others than its owner may touch.
pub(crate) fn refuse_open_to_others(path: &Path) -> Result<(), Error> {
    let mode = path.metadata().map_err(file("examine", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::OpenToOthers { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Turns the system's answer into ours.
pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { doing, path, source }
}

fn leave_note(lock_file: &mut File) -> std::io::Result<()> {
    lock_file.set_len(0)?;
    lock_file.rewind()?;
    write!(lock_file, "{}", std::process::id())
}

fn holder(lock_file: &mut File) -> String {
    let mut note = String::new();
    match lock_file.take(HOLDER_BYTES_MAX).read_to_string(&mut note) {
        Ok(1..) => format!("process {}", note.trim()),
        Ok(0) | Err(_) => "another process".to_owned(),
    }
}

fn refuse_network_kind(folder: &Path, magic: u64) -> Result<(), Error> {
    match network_kind(magic) {
        Some(kind) => Err(Error::NetworkFileSystem { folder: folder.to_owned(), kind }),
        None => Ok(()),
    }
}

/// The name of a network file system, by the magic number of `statfs(2)`.
fn network_kind(magic: u64) -> Option<&'static str> {
    // The kernel gives 32-bit numbers, sign-extended on some architectures.
    match magic & 0xffff_ffff {
        0x6969 => Some("NFS"),
        0x517b => Some("SMB"),
        0xff53_4d42 => Some("CIFS"),
        0xfe53_4d42 => Some("SMB2"),
        0x564c => Some("NCP"),
        0x7375_7245 => Some("Coda"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x0102_1997 => Some("9P"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x0116_1970 => Some("GFS2"),
        0x7461_636f => Some("OCFS2"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KR-68: a network file system is refused by its name; local ones, and the one under this test, are not.
    #[test]
    fn network_file_systems_are_refused_by_name() {
        let folder = Path::new("/data");
        for (magic, kind) in [(0x6969, "NFS"), (0xffff_ffff_ff53_4d42, "CIFS"), (0x0102_1997, "9P")] {
            let refusal = refuse_network_kind(folder, magic).unwrap_err();
            assert_eq!(refusal.code(), "network_file_system");
            assert!(refusal.to_string().starts_with(&format!("/data lies on a network file system ({kind})")));
        }
        for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            refuse_network_kind(folder, local).unwrap();
        }
        refuse_network(&std::env::temp_dir()).unwrap();
    }

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        let refusal = lock(folder.path()).unwrap_err().to_string();
        let me = format!("in use by process {}", std::process::id());
        assert!(refusal.contains(&me), "{refusal}");
        drop(first);
        lock(folder.path()).unwrap();
    }
}
