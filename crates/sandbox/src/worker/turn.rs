//! How much of the processor one turn may use.

use std::cell::Cell;

use rustix::time::ClockId;

use super::confine;

/// Promise jobs that one turn may run (security contract, section 5).
pub(super) const SCRIPT_JOBS_MAX: u32 = 10_000;

/// Seconds of lease that must be left beyond a turn's own bound.
const LEASE_SPARE_SECS: u64 = 10;

/// Processor time of the turn that runs, asked for by the engine every few thousand steps.
#[derive(Default)]
pub(super) struct Budget {
    end_ns: Cell<u64>,
    spent: Cell<bool>,
    lease_end_secs: Cell<u64>,
}

impl Budget {
    /// Starts a turn that may use so much.
    pub(super) fn start(&self, cpu_ms: u32) {
        let used_ns = cpu_used_ns();
        self.spent.set(false);
        self.end_ns.set(used_ns + u64::from(cpu_ms) * 1_000_000);
        let used_secs = used_ns / 1_000_000_000;
        if used_secs + u64::from(cpu_ms / 1000) + LEASE_SPARE_SECS > self.lease_end_secs.get()
            && let Ok(end_secs) = confine::lease_cpu(used_secs)
        {
            self.lease_end_secs.set(end_secs);
        }
    }

    /// Whether the turn has used up its time; stays so until the next turn.
    pub(super) fn check(&self) -> bool {
        if !self.spent.get() && cpu_used_ns() >= self.end_ns.get() {
            self.spent.set(true);
        }
        self.spent.get()
    }

    /// Whether a check has found the time used up.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get()
    }
}

/// Processor time that the process has used.
pub(super) fn cpu_used_ns() -> u64 {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
