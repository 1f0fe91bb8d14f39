//! A signal that is raised once and seen by everybody, and the shutdown of the process made of it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

/// Raised once, never lowered.
#[derive(Debug, Default)]
pub(super) struct Signal {
    raised: AtomicBool,
    waiting: Notify,
}

impl Signal {
    pub(super) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.waiting.notify_waiters();
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Ends when the signal is raised, at once if it was before.
    pub(super) async fn wait(&self) {
        let mut notified = pin!(self.waiting.notified());
        // Listen first, look second: a raise in between is not missed.
        notified.as_mut().enable();
        if !self.is_raised() {
            notified.await;
        }
    }
}

/// Tells every listener of the process to take no more connections and finish what is open.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<Signal>);

impl Shutdown {
    /// Starts the shutdown; later calls change nothing.
    pub fn begin(&self) {
        self.0.raise();
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.is_raised()
    }

    /// Ends when the shutdown begins.
    pub async fn begun(&self) {
        self.0.wait().await;
    }

    /// What `work` gives, or `None` if the shutdown begins first.
    pub(super) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut begun = pin!(self.begun());
        std::future::poll_fn(|cx| {
            if begun.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await
    }
}
