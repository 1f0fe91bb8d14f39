//! Files that flows read: out of one folder, and on threads that may wait for a disk.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use plan::{Answer, Fault, FaultKind, Text};
use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::sync::Semaphore;

use super::Begun;
use crate::limits::FILE_BYTES_MAX;

/// Files that are read at once; further ones wait.
const READS_AT_ONCE: usize = 16;

static READS: Semaphore = Semaphore::const_new(READS_AT_ONCE);

/// The files that flows may read: those below one folder, or none.
#[derive(Clone, Debug)]
pub struct Files(Option<Arc<Dir>>);

impl Files {
    /// No file at all.
    pub fn none() -> Self {
        Self(None)
    }

    /// The files below this folder. A link that leads out of it leads nowhere.
    ///
    /// # Errors
    ///
    /// The folder cannot be opened.
    pub fn below(folder: &Path) -> io::Result<Self> {
        Dir::open_ambient_dir(folder, ambient_authority()).map(|folder| Self(Some(Arc::new(folder))))
    }

    /// Whether no file may be read.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// Reads the file of this name.
pub(crate) fn read(files: &Files, name: Text) -> Begun {
    let Some(folder) = files.0.clone() else {
        let why = "no folder is set whose files flows may read (flows.files.folder)";
        return Begun::Done(Answer::File(Err(fault("EACCES", &format!("{why}, open '{name}'")))));
    };
    Begun::Later(Box::pin(async move {
        let place = READS.acquire().await.expect("this semaphore is never closed");
        let outcome = tokio::task::spawn_blocking(move || octets(&folder, &name)).await;
        drop(place);
        Answer::File(outcome.unwrap_or_else(|_| Err(fault("EIO", "the file could not be read; the log says how"))))
    }))
}

fn octets(folder: &Dir, name: &str) -> Result<Arc<[u8]>, Fault> {
    let mut options = OpenOptions::new();
    // A pipe that nobody writes to would keep its reader waiting.
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = folder.open_with(name, &options).map_err(|error| refused(&error, &format!("open '{name}'")))?;
    let kind = file.metadata().map_err(|error| refused(&error, "fstat"))?.file_type();
    if kind.is_dir() {
        return Err(fault("EISDIR", "illegal operation on a directory, read"));
    }
    if !kind.is_file() {
        return Err(fault("EACCES", &format!("only regular files may be read, open '{name}'")));
    }
    let mut octets = Vec::new();
    let most = FILE_BYTES_MAX as u64 + 1;
    file.take(most).read_to_end(&mut octets).map_err(|error| refused(&error, "read"))?;
    if octets.len() > FILE_BYTES_MAX {
        return Err(fault("EFBIG", &format!("the file has more than {FILE_BYTES_MAX} octets, read '{name}'")));
    }
    Ok(octets.into())
}

/// What the system's refusal is called there and here.
const WORDS: [(Errno, &str, &str); 7] = [
    (Errno::NOENT, "ENOENT", "no such file or directory"),
    (Errno::ACCESS, "EACCES", "permission denied"),
    (Errno::PERM, "EPERM", "operation not permitted"),
    (Errno::NOTDIR, "ENOTDIR", "not a directory"),
    (Errno::LOOP, "ELOOP", "too many symbolic links encountered"),
    (Errno::NAMETOOLONG, "ENAMETOOLONG", "name too long"),
    (Errno::MFILE, "EMFILE", "too many open files"),
];

fn refused(error: &io::Error, doing: &str) -> Fault {
    let known = Errno::from_io_error(error).and_then(|errno| WORDS.iter().find(|(known, ..)| *known == errno));
    match known {
        Some((_, code, words)) => fault(code, &format!("{words}, {doing}")),
        None if error.kind() == io::ErrorKind::PermissionDenied => {
            fault("EACCES", &format!("the path leads out of the folder whose files flows may read, {doing}"))
        }
        None => fault("EIO", &format!("{error}, {doing}")),
    }
}

fn fault(code: &str, why: &str) -> Fault {
    Fault::new(FaultKind::FileUnread, format!("Error: {code}: {why}")).with_code(code)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn told(folder: &Path, name: &str) -> Result<usize, String> {
        let Files(Some(folder)) = Files::below(folder).unwrap() else { panic!("a folder") };
        octets(&folder, name).map(|octets| octets.len()).map_err(|fault| fault.message.to_string())
    }

    #[test]
    fn files_of_the_folder_are_read_and_no_others() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("files");
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        fs::write(folder.join("a/b/c.txt"), "text").unwrap();
        symlink("a/b/c.txt", folder.join("inside")).unwrap();
        symlink("../secret", folder.join("outside")).unwrap();
        symlink(outside.path().join("secret"), folder.join("absolute")).unwrap();
        symlink("..", folder.join("up")).unwrap();
        symlink("loop", folder.join("loop")).unwrap();

        for name in ["a/b/c.txt", "./a//b/../b/c.txt", "inside", "a/../inside"] {
            assert_eq!(told(&folder, name), Ok(4), "{name}");
        }
        let own = folder.join("a/b/c.txt");
        let escapes = ["../secret", "a/../../secret", "outside", "absolute", "up/secret", "/etc/passwd", "/", ".."];
        for name in escapes.into_iter().chain(own.to_str()) {
            let why = told(&folder, name).unwrap_err();
            assert!(why.starts_with("Error: EACCES: the path leads out of the folder"), "{name}: {why}");
            assert!(why.ends_with(&format!("open '{name}'")), "{why}");
        }
        let missing = "Error: ENOENT: no such file or directory, open 'a/none'";
        assert_eq!(told(&folder, "a/none"), Err(missing.to_owned()));
        assert_eq!(told(&folder, "a"), Err("Error: EISDIR: illegal operation on a directory, read".to_owned()));
        for (name, code) in
            [("inside/x", "ENOTDIR"), ("loop", "ELOOP"), ("a\0b", "EIO"), (&"x".repeat(300), "ENAMETOOLONG")]
        {
            let why = told(&folder, name).unwrap_err();
            assert!(why.starts_with(&format!("Error: {code}: ")), "{name}: {why}");
        }
    }

    #[test]
    fn a_file_may_have_so_many_octets_and_be_no_pipe() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("most"), vec![0; FILE_BYTES_MAX]).unwrap();
        fs::write(folder.path().join("more"), vec![0; FILE_BYTES_MAX + 1]).unwrap();
        assert_eq!(told(folder.path(), "most"), Ok(FILE_BYTES_MAX));
        assert!(told(folder.path(), "more").unwrap_err().starts_with("Error: EFBIG: "));

        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("pipe"), mode).unwrap();
        assert!(told(folder.path(), "pipe").unwrap_err().starts_with("Error: EACCES: only regular files"));
    }
}
