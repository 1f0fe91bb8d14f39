//! This process's estimate of the database clock (key ring contract, section 12).
//!
//! The offset to the database is measured at each refresh and carried by a clock that no one sets and that counts while
//! the machine sleeps. The estimate never runs backwards.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use keyring::{Span, Time};
use rustix::time::{ClockId, clock_gettime};

/// Beyond this the database clock has leapt, and is not followed.
const LEAP: Span = Span::from_secs(60);

/// What the machine's own clocks say at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    /// Microseconds since the machine started, sleep included.
    pub boot_us: i64,
    /// Microseconds since 1970, as far as anybody set that right.
    pub wall_us: i64,
}

/// Reads the machine's clocks; handed in, so that hours pass in a test.
pub type TickSource = Box<dyn Fn() -> Ticks + Send + Sync>;

/// The estimate.
pub(crate) struct DbClock {
    ticks: TickSource,
    measured: Mutex<Option<Measured>>,
    latest_us: AtomicI64,
}

#[derive(Clone, Copy)]
struct Measured {
    /// What is added to the boot clock to get the database's.
    offset_us: i64,
    at: Ticks,
    has_leapt: bool,
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoEstimate {
    /// None was within the bound yet.
    Never,
    /// The machine's clocks part: it slept, or somebody set one. The database is to be asked first.
    Doubtful,
}

impl Ticks {
    /// The machine's clocks.
    pub fn of_the_machine() -> Self {
        let us = |clock| {
            let time = clock_gettime(clock);
            time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
        };
        Self { boot_us: us(ClockId::Boottime), wall_us: us(ClockId::Realtime) }
    }
}

impl DbClock {
    pub(crate) fn new(ticks: TickSource) -> Self {
        Self { ticks, measured: Mutex::new(None), latest_us: AtomicI64::new(i64::MIN) }
    }

    pub(crate) fn ticks(&self) -> Ticks {
        (self.ticks)()
    }

    /// Takes a reading of the database clock that was asked for and came in between two ticks. One that took too long to
    /// be within `bound` says nothing.
    pub(crate) fn measure(&self, database: Time, before: Ticks, after: Ticks, bound: Span) {
        let trip_us = after.boot_us - before.boot_us;
        if trip_us > bound.times(2).as_us() {
            return;
        }
        let offset_us = database.as_us() - (before.boot_us + trip_us / 2);
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let leap = measured.filter(|last| (offset_us - last.offset_us).abs() > LEAP.as_us());
        *measured = Some(match leap {
            Some(last) => Measured { at: after, has_leapt: true, ..last },
            None => Measured { offset_us, at: after, has_leapt: false },
        });
    }

    /// The database clock now.
    pub(crate) fn now(&self, bound: Span) -> Result<Time, NoEstimate> {
        let now = self.ticks();
        let measured = *self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let Measured { offset_us, at, .. } = measured.ok_or(NoEstimate::Never)?;
        let parted_us = ((now.wall_us - at.wall_us) - (now.boot_us - at.boot_us)).abs();
        if parted_us > bound.as_us() / 2 {
            return Err(NoEstimate::Doubtful);
        }
        let estimate_us = now.boot_us + offset_us;
        let latest_us = self.latest_us.fetch_max(estimate_us, Ordering::AcqRel);
        Ok(Time::from_us(estimate_us.max(latest_us)))
    }

    /// By how much the database clock is ahead of this machine's, in microseconds, as it was measured last.
    pub(crate) fn ahead_us(&self) -> i64 {
        let measured = *self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        measured.map_or(0, |last| last.offset_us - (last.at.wall_us - last.at.boot_us))
    }

    /// Whether the database clock leapt since, so that nothing is to be scheduled by it.
    pub(crate) fn has_leapt(&self) -> bool {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|measured| measured.has_leapt)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const S: Span = Span::from_secs(5);

    /// A machine whose clocks a test sets, and the estimate on it.
    struct Machine {
        boot_us: Arc<AtomicI64>,
        wall_us: Arc<AtomicI64>,
        clock: DbClock,
    }

    impl Machine {
        fn new(wall_us: i64) -> Self {
            let (boot_us, wall_us) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(wall_us)));
            let (boot, wall) = (Arc::clone(&boot_us), Arc::clone(&wall_us));
            let ticks = move || Ticks { boot_us: boot.load(Ordering::Relaxed), wall_us: wall.load(Ordering::Relaxed) };
            Self { boot_us, wall_us, clock: DbClock::new(Box::new(ticks)) }
        }

        fn pass_secs(&self, secs: i64) {
            self.boot_us.fetch_add(secs * 1_000_000, Ordering::Relaxed);
            self.wall_us.fetch_add(secs * 1_000_000, Ordering::Relaxed);
        }

        fn measure_secs(&self, database: i64) {
            let now = self.clock.ticks();
            self.clock.measure(Time::from_us(database * 1_000_000), now, now, S);
        }

        fn now_secs(&self) -> Result<i64, NoEstimate> {
            self.clock.now(S).map(|now| now.whole_secs())
        }
    }

    /// KR-43 (part): a clock that is an hour off at the start is corrected; without an estimate there is no time.
    #[test]
    fn a_wrong_clock_is_corrected_and_none_is_guessed() {
        let machine = Machine::new(3_600_000_000);
        assert_eq!(machine.now_secs(), Err(NoEstimate::Never));
        let (before, after) = (machine.clock.ticks(), Ticks { boot_us: 10_000_001, wall_us: 0 });
        machine.clock.measure(Time::from_us(0), before, after, S);
        assert_eq!(machine.now_secs(), Err(NoEstimate::Never), "a reading that took ten seconds says nothing");
        machine.measure_secs(1_000);
        machine.pass_secs(7);
        assert_eq!(machine.now_secs(), Ok(1_007));
    }

    /// KR-44 (part): after a step of ten minutes, or a sleep, the database is asked first.
    #[test]
    fn a_step_or_a_sleep_is_doubted() {
        for step_secs in [600, -600, 3] {
            let machine = Machine::new(0);
            machine.measure_secs(1_000);
            machine.wall_us.fetch_add(step_secs * 1_000_000, Ordering::Relaxed);
            assert_eq!(machine.now_secs(), Err(NoEstimate::Doubtful), "{step_secs}");
            machine.measure_secs(1_001);
            assert_eq!(machine.now_secs(), Ok(1_001));
        }
        let machine = Machine::new(0);
        machine.measure_secs(1_000);
        machine.wall_us.fetch_add(2_500_000, Ordering::Relaxed);
        assert_eq!(machine.now_secs(), Ok(1_000), "half of S is borne");
    }

    /// KR-45 (part): a leap of the database clock is not followed.
    #[test]
    fn a_leap_is_not_followed() {
        for leap_secs in [-3_600, 8 * 86_400, 61] {
            let machine = Machine::new(0);
            machine.measure_secs(10_000);
            machine.pass_secs(10);
            machine.measure_secs(10_010 + leap_secs);
            assert_eq!((machine.now_secs(), machine.clock.has_leapt()), (Ok(10_010), true), "{leap_secs}");
            machine.pass_secs(10);
            machine.measure_secs(10_021);
            assert_eq!((machine.now_secs(), machine.clock.has_leapt()), (Ok(10_021), false));
        }
    }

    #[test]
    fn the_estimate_never_runs_backwards() {
        let machine = Machine::new(0);
        machine.measure_secs(1_000);
        assert_eq!(machine.now_secs(), Ok(1_000));
        machine.measure_secs(990);
        assert_eq!(machine.now_secs(), Ok(1_000));
        machine.pass_secs(11);
        assert_eq!(machine.now_secs(), Ok(1_001));
    }
}
