//! Where a run's reply goes: to whoever waits for it, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dialects::node_red::Unanswered;
use http::Response;
use plan::{Answer, Fault, FaultKind};
use tokio::sync::oneshot;

use bytes::Bytes;

/// What the waiting side hears of a run.
pub(crate) enum Outcome {
    /// The reply; the run may go on behind it.
    Reply(Response<Bytes>),
    /// The run rests and gave none.
    Rested,
    /// The run was ended because its flow was taken away.
    Cut,
}

/// What both sides know while one waits for the other.
#[derive(Default)]
pub(crate) struct Between {
    /// What the last fault that nobody took makes of a run without a reply.
    pub(crate) failed: Mutex<Option<Unanswered>>,
    /// The waiting side has answered by itself.
    pub(crate) late: AtomicBool,
}

impl Between {
    /// Why there is no reply, if a fault is the reason.
    pub(crate) fn why(&self) -> Option<Unanswered> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a run hands its reply out.
pub(crate) enum Desk {
    /// The waiting side is on the same stack and looks here.
    Here(Option<Response<Bytes>>),
    /// The waiting side is another task.
    There(Option<oneshot::Sender<Outcome>>, Arc<Between>),
    /// Nobody waits: time set the run off, or the reply was taken from [`Desk::Here`] already.
    Closed,
}

impl Desk {
    /// Hands a reply out; the first one wins.
    pub(crate) fn hand_out(&mut self, response: Response<Bytes>) -> Answer {
        match self {
            Self::Here(place @ None) => {
                *place = Some(response);
                Answer::Replied
            }
            Self::There(sender, between) => {
                let Some(sender) = sender.take() else { return already_replied() };
                match sender.send(Outcome::Reply(response)) {
                    Err(_) if between.late.load(Ordering::Acquire) => already_replied(),
                    // A client that went away is answered like any other: nobody is left to notice.
                    Ok(()) | Err(_) => Answer::Replied,
                }
            }
            Self::Here(Some(_)) | Self::Closed => already_replied(),
        }
    }

    /// Tells the waiting side that a fault was raised which nobody took, and what it makes of a run without a reply.
    pub(crate) fn failed(&self, why: Unanswered) {
        if let Self::There(_, between) = self {
            *between.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        }
    }

    /// Tells the waiting side that there will be no reply any more.
    pub(crate) fn close(&mut self, outcome: Outcome) {
        if let Self::There(sender, _) = self
            && let Some(sender) = sender.take()
        {
            // Whoever went away has nothing more to hear.
            let _ = sender.send(outcome);
        }
    }
}

fn already_replied() -> Answer {
    Answer::Failed(Fault::new(FaultKind::AlreadyReplied, ""))
}
