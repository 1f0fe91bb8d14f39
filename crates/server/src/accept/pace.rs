//! When a connection has been silent for too long: one deadline that requests move on without touching a timer.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The deadline of one connection: `first_request` after it was opened, then `idle` after each last reply.
///
/// hyper's own head timer registers a timer with the runtime for every request, and knows neither a connection that
/// never sends a head nor HTTP/2 without streams. Here a request costs two atomic counts, and the one timer of the
/// connection looks at the deadline only when it fires.
pub(super) struct Pace {
    opened: Instant,
    idle: Duration,
    /// Nanoseconds from `opened`: the deadline until a first request has been answered.
    first: u64,
    open_requests: AtomicU32,
    /// Nanoseconds from `opened`.
    due: AtomicU64,
}

/// What the connection's timer is to do.
pub(super) enum Verdict {
    /// Not yet: look again then.
    Wait(Instant),
    /// The silence was too long.
    Over,
}

impl Pace {
    pub(super) fn new(opened: Instant, first_request: Duration, idle: Duration) -> Pace {
        Pace {
            opened,
            idle,
            first: nanos(first_request),
            open_requests: AtomicU32::new(0),
            due: AtomicU64::new(nanos(first_request)),
        }
    }

    /// A complete head has come. The request is open until the turn is dropped.
    pub(super) fn begin(&self) -> Turn<'_> {
        self.open_requests.fetch_add(1, Ordering::Relaxed);
        Turn { pace: self, ended: None }
    }

    /// Whether no request has been answered yet.
    pub(super) fn is_unused(&self) -> bool {
        self.due.load(Ordering::Relaxed) == self.first
    }

    pub(super) fn verdict(&self, now: Instant) -> Verdict {
        if self.open_requests.load(Ordering::Acquire) > 0 {
            // Whatever reply comes, it comes after now; so no deadline can lie before this.
            return Verdict::Wait(now + self.idle);
        }
        let due = self.opened + Duration::from_nanos(self.due.load(Ordering::Relaxed));
        if due <= now { Verdict::Over } else { Verdict::Wait(due) }
    }
}

/// One open request of a connection.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    ended: Option<Instant>,
}

impl Turn<'_> {
    /// Says when the reply was ready, for whoever has read the clock already.
    pub(super) fn end(&mut self, now: Instant) {
        self.ended = Some(now);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let ended = self.ended.unwrap_or_else(Instant::now);
        let due = ended.duration_since(self.pace.opened) + self.pace.idle;
        self.pace.due.store(nanos(due), Ordering::Relaxed);
        self.pace.open_requests.fetch_sub(1, Ordering::Release);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
