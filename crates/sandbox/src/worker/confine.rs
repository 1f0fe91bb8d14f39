//! The walls around a worker: what it may ask of the kernel, and how much.

use std::collections::BTreeMap;
use std::io;

use rquickjs::{Context, Runtime};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// How much address space a worker has, the program itself and all its scripts together.
const ADDRESS_BYTES_MAX: u64 = 1 << 30;
/// How much a worker gives way to the server when processors are short.
const NICE_STEPS: i32 = 5;
/// How much processor time is added when what a worker has runs out; only turns that keep to their bound come so far.
const CPU_LEASE_SECS: u64 = 120;

/// What a worker needs of the kernel once it has started: memory, its one socket, clocks, and an end.
const ALLOWED: [libc::c_long; 22] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Let through to the other filter, which answers it.
    libc::SYS_newfstatat,
];

/// Shuts the calling process in. Any other call to the kernel ends it with `SIGSYS` from here on.
///
/// # Errors
///
/// What the kernel said when it would not; the process must not go on then.
pub fn confine() -> io::Result<()> {
    rustix::process::nice(NICE_STEPS)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    limit(Resource::As, ADDRESS_BYTES_MAX)?;
    limit(Resource::Nofile, 0)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    lease_cpu(0)?;
    read_time_zone();
    super::expression::warm_up();
    // The first look at a clock finds out where the kernel keeps it, which asks for more than the wall lets through.
    super::turn::cpu_used_ns();
    for filter in [blindness(), wall()] {
        seccompiler::apply_filter(&filter.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Lets the process use processor time up to a lease beyond what it has used, so that one which nobody watches ends.
/// Returns the end of the lease, in seconds of processor time.
pub(super) fn lease_cpu(used_secs: u64) -> io::Result<u64> {
    let end = used_secs + CPU_LEASE_SECS;
    rustix::process::setrlimit(Resource::Cpu, Rlimit { current: Some(end), maximum: None })?;
    Ok(end)
}

fn limit(resource: Resource, amount: u64) -> io::Result<()> {
    Ok(rustix::process::setrlimit(resource, Rlimit { current: Some(amount), maximum: Some(amount) })?)
}

/// The C library reads the time zone from a file at its first use; behind the wall it could not.
fn read_time_zone() {
    if let Ok(context) = Runtime::new().and_then(|runtime| Context::full(&runtime)) {
        let _: Result<i32, _> = context.with(|ctx| ctx.eval("new Date().getTimezoneOffset()"));
    }
}

/// No file exists, whoever asks. The cryptography asks for one before its first signature and takes no for an answer.
fn blindness() -> Result<BpfProgram, seccompiler::BackendError> {
    let rules = BTreeMap::from([(libc::SYS_newfstatat, Vec::new())]);
    let no_such_file = SeccompAction::Errno(libc::ENOENT as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, no_such_file, std::env::consts::ARCH.try_into()?)?.try_into()
}

fn wall() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let not_executable = || {
        let protection = SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64);
        SeccompRule::new(vec![SeccompCondition::new(2, SeccompCmpArgLen::Dword, protection, 0)?])
    };
    rules.insert(libc::SYS_mmap, vec![not_executable()?]);
    rules.insert(libc::SYS_mprotect, vec![not_executable()?]);
    let equals = |place, value| SeccompCondition::new(place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    let own_cpu_time = SeccompRule::new(vec![equals(0, 0)?, equals(1, u64::from(libc::RLIMIT_CPU))?])?;
    rules.insert(libc::SYS_prlimit64, vec![own_cpu_time]);
    // Unoptimised builds look whether a descriptor is open before they close it.
    rules.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![equals(1, libc::F_GETFD as u64)?])?]);
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture)?.try_into()
}
