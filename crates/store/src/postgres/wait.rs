//! Waits for a future on the calling thread, and not longer than it may take.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The outcome, or none if `limit` passes first: the future is dropped then. Works on any thread, also on one that
/// belongs to a runtime: what the future waits for is driven elsewhere.
pub(super) fn wait<F: Future>(future: F, limit: Duration) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let end = Instant::now() + limit;
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return Some(outcome);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_time_is_taken_and_what_does_not_is_left() {
        assert_eq!(wait(std::future::ready(7), Duration::ZERO), Some(7));
        let begun = Instant::now();
        assert_eq!(wait(std::future::pending::<()>(), Duration::from_millis(20)), None);
        assert!(begun.elapsed() >= Duration::from_millis(20));
        let (tell, told) = tokio::sync::oneshot::channel();
        let teller = std::thread::spawn(move || tell.send(7));
        assert_eq!(wait(told, Duration::from_secs(5)), Some(Ok(7)));
        teller.join().unwrap().unwrap();
    }
}
