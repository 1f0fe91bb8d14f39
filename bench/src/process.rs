//! What a process and its children have used, read from `/proc`: processor time and memory.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Processor time, user and system, of `root`, its living descendants and those that they have waited for.
pub(crate) fn cpu_time(root: u32) -> Duration {
    let ticks: u64 = tree(root).values().map(|process| process.ticks).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Memory of `root` and its living descendants in KiB, pages that several share counted in shares (PSS).
pub(crate) fn memory_kib(root: u32) -> u64 {
    tree(root).keys().map(|&pid| pss_kib(pid)).sum()
}

struct Process {
    parent: u32,
    ticks: u64,
}

fn tree(root: u32) -> BTreeMap<u32, Process> {
    let all: BTreeMap<u32, Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let descends = |mut pid: u32| {
        while pid != root {
            match all.get(&pid) {
                Some(process) => pid = process.parent,
                None => return false,
            }
        }
        true
    };
    let kept: Vec<u32> = all.keys().copied().filter(|&pid| descends(pid)).collect();
    all.into_iter().filter(|(pid, _)| kept.contains(pid)).collect()
}

/// Reads a `stat` line. The name, second of the fields, may hold blanks and ends with the last `)`.
fn parse(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Counted from the field after the name: parent 1, utime 11, stime 12, cutime 13, cstime 14 (proc_pid_stat(5)).
    let ticks = (11..=14).map(|field| fields.get(field)?.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some(Process { parent: fields.get(1)?.parse().ok()?, ticks })
}

fn pss_kib(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_a_blank_in_the_name_is_read() {
        let process = parse("7 (a b) c) S 3 7 7 0 -1 4194304 100 0 0 0 10 20 30 40 20 0 1 0 5 6 7").unwrap();
        assert_eq!((process.parent, process.ticks), (3, 100));
        assert!(parse("7 (cut off").is_none());
    }

    #[test]
    fn this_process_has_used_memory_and_its_child_belongs_to_it() {
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("5").spawn().unwrap();
        assert!(tree(own).contains_key(&child.id()));
        assert!(memory_kib(own) > 100);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn work_shows_as_processor_time() {
        let before = cpu_time(std::process::id());
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        assert!(cpu_time(std::process::id()) > before);
    }
}
