//! What the process does to itself before it opens a door: no core file, no debugger of the same user, enough descriptors.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Keeps the memory of this process from core files and from other processes of the same user, and raises the limit of
/// open descriptors as far as the system allows (docs/contracts/security.md sections 5 and 8).
///
/// Returns how many descriptors that makes; the connections of all listeners share them.
///
/// # Errors
/// The system refuses; then secrets might reach a core file, so the server had better not start.
pub fn harden() -> io::Result<Option<u64>> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let descriptors = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: descriptors.maximum, ..descriptors })?;
    Ok(descriptors.maximum)
}
