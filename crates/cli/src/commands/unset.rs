//! A master key out of the environment of a server: whoever may read what a process was started with would find it there, so
//! the server starts itself again without it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};
use server::settings::{MasterKeyPlace, Settings};
use signer::Secret;
use zeroize::Zeroizing;

use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// Names the descriptor that the key came over in.
const DESCRIPTOR: &str = "CHANCERY_MASTER_KEY_FD";
/// The most octets of a master key or passphrase.
const KEY_BYTES_MAX: u64 = 4_096;

/// What came over, until it is used.
static TAKEN: Mutex<Option<Zeroizing<Vec<u8>>>> = Mutex::new(None);

/// Takes a master key that the settings have in a variable out of this process's environment: hands it to itself in memory
/// and begins anew, or takes what was handed over. It must come before the process closes itself to its own user.
pub(super) fn hide(settings: &Settings, voice: Voice) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new(ExitCode::Internal, "not_hidden", format!("the master key cannot be taken over: {error}"))
    };
    if let Ok(descriptor) = std::env::var(DESCRIPTOR) {
        let key = take_over(&descriptor).map_err(failed)?;
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        return Ok(());
    }
    let name = match &settings.store.master_key {
        MasterKeyPlace::Environment(name) | MasterKeyPlace::PassphraseEnvironment(name) => name,
        MasterKeyPlace::File(_) | MasterKeyPlace::PassphraseFile(_) => return Ok(()),
    };
    match std::env::var(name).map(Zeroizing::new) {
        Err(_) => Ok(()),
        Ok(key) => {
            voice.warn(format!(
                "the master key is in the variable {name}, where other processes find it; a file is safer"
            ));
            Err(failed(begin_anew(name, key.as_bytes())))
        }
    }
}

/// The variables of the environment, without our own.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| name != DESCRIPTOR)
}

/// What was taken over, once.
pub(super) fn taken() -> Option<Secret> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).take().map(Secret::from)
}

/// Comes back only if it failed.
fn begin_anew(name: &str, key: &[u8]) -> io::Error {
    let begin = || {
        // Not closed as the program begins anew.
        let mut memory = File::from(memfd_create("master-key", MemfdFlags::empty())?);
        memory.write_all(key)?;
        seek(&memory, SeekFrom::Start(0))?;
        let mut arguments = std::env::args_os();
        let mut again = Command::new(std::env::current_exe()?);
        if let Some(own_name) = arguments.next() {
            again.arg0(own_name);
        }
        again.args(arguments).env_remove(name).env(DESCRIPTOR, memory.as_raw_fd().to_string());
        Err::<(), _>(again.exec())
    };
    begin().err().unwrap_or_else(|| io::Error::other("the program did not begin"))
}

/// Reads what was handed over, and leaves nothing of it there.
fn take_over(descriptor: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let number: u32 = descriptor.parse().map_err(io::Error::other)?;
    let mut memory = OpenOptions::new().read(true).write(true).open(format!("/proc/self/fd/{number}"))?;
    let mut key = Zeroizing::new(Vec::with_capacity(KEY_BYTES_MAX as usize));
    (&mut memory).take(KEY_BYTES_MAX).read_to_end(&mut key)?;
    memory.set_len(0)?;
    Ok(key)
}
