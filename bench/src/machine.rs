//! Says in a few words on what machine the bench ran, and how busy it was with other work.

use std::fs;

/// Cores, memory, system and what else was going on, as far as they are known. To be asked before the bench begins.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let gib = kib_of(&memory, "MemTotal:") as f64 / 1024.0 / 1024.0;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!(
        "{cores} cores ({}), {gib:.0} GiB of memory, {}, load average {load} before the run",
        std::env::consts::ARCH,
        std::env::consts::OS
    )
}

fn kib_of(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_by_its_name() {
        assert_eq!(kib_of("MemFree: 1 kB\nMemTotal:  2048 kB\n", "MemTotal:"), 2048);
        assert_eq!(kib_of("", "MemTotal:"), 0);
    }
}
