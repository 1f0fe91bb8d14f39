//! Times pieces of work that take turns.

use rustix::time::{ClockId, clock_gettime};

/// A piece of work, done once a call.
pub(crate) type Work = Box<dyn FnMut()>;

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    slice_secs: f64,
}

pub(crate) const FULL: Effort = Effort { rounds: 21, slice_secs: 0.025 };
pub(crate) const QUICK: Effort = Effort { rounds: 5, slice_secs: 0.008 };

/// Seconds a call of each, the median of rounds in which they take turns.
pub(crate) fn interleaved(works: &mut [&mut Work], effort: Effort) -> Vec<f64> {
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..effort.rounds {
        for (work, times) in works.iter_mut().zip(&mut times) {
            times.push(seconds_a_call(work, effort.slice_secs));
        }
    }
    times.into_iter().map(median).collect()
}

/// Seconds of this thread's processor, so that a busy machine counts little.
fn seconds_a_call(work: &mut Work, slice_secs: f64) -> f64 {
    let (start, mut calls) = (processor_secs(), 0_u32);
    loop {
        for _ in 0..8 {
            work();
        }
        calls += 8;
        let passed = processor_secs() - start;
        if passed >= slice_secs {
            return passed / f64::from(calls);
        }
    }
}

fn processor_secs() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
