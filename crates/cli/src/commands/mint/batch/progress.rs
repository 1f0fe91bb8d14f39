//! How far a batch is, told on stderr where a person looks.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::args::mint::ProgressArgument;
use crate::voice::Voice;

/// Nothing is told of a batch that ends within this time.
const QUIET: Duration = Duration::from_millis(500);
/// How often it is told to a person, and to whatever else reads stderr.
const EVERY_ON_TERMINAL: Duration = Duration::from_millis(200);
const EVERY_ELSEWHERE: Duration = Duration::from_secs(1);

/// Tells of a batch: lines done, their rate, the time left.
pub(super) struct Progress {
    wanted: bool,
    on_a_terminal: bool,
    octets_total: Option<u64>,
    started: Instant,
    told: Option<Instant>,
}

impl Progress {
    /// Starts the watch. The time left is told where the size of the source is known.
    pub(super) fn new(wish: Option<ProgressArgument>, voice: Voice, octets_total: Option<u64>) -> Self {
        let on_a_terminal = io::stderr().is_terminal();
        let wanted = match wish {
            Some(ProgressArgument::Always) => true,
            Some(ProgressArgument::Never) => false,
            None => on_a_terminal && !voice.is_quiet() && !voice.is_json(),
        };
        Self { wanted, on_a_terminal, octets_total, started: Instant::now(), told: None }
    }

    /// Tells, if it is time to.
    pub(super) fn tick(&mut self, lines: u64, octets_read: u64) {
        let elapsed = self.started.elapsed();
        let every = if self.on_a_terminal { EVERY_ON_TERMINAL } else { EVERY_ELSEWHERE };
        let is_early = elapsed < QUIET || self.told.is_some_and(|told| told.elapsed() < every);
        if !self.wanted || is_early {
            return;
        }
        self.clear();
        self.told = Some(Instant::now());
        let end = if self.on_a_terminal { "" } else { "\n" };
        tell(&format!("{}{end}", words(lines, elapsed, octets_read, self.octets_total)));
    }

    /// Takes the last words off a terminal, so that others may stand there.
    pub(super) fn clear(&mut self) {
        if self.on_a_terminal && self.told.is_some() {
            tell("\r\x1b[2K");
        }
    }

    pub(super) fn elapsed_secs(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// `1200 lines, 600/s, 4 s left`.
fn words(lines: u64, elapsed: Duration, octets_read: u64, octets_total: Option<u64>) -> String {
    let secs = elapsed.as_secs_f64();
    let rate = lines as f64 / secs;
    let left = octets_total.filter(|total| octets_read > 0 && octets_read <= *total).map(|total| {
        let secs_left = secs * (total - octets_read) as f64 / octets_read as f64;
        format!(", {secs_left:.0} s left")
    });
    format!("{lines} lines, {rate:.0}/s{}", left.unwrap_or_default())
}

/// When even stderr is closed there is nobody left to tell.
fn tell(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_told() {
        let two = Duration::from_secs(2);
        assert_eq!(words(1_200, two, 100, Some(300)), "1200 lines, 600/s, 4 s left");
        assert_eq!(words(1_200, two, 100, None), "1200 lines, 600/s");
        assert_eq!(words(0, two, 0, Some(0)), "0 lines, 0/s");
    }
}
