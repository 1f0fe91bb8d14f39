//! What the engine asks for, done: one file for each kind of ask.

pub(crate) mod reply;
pub(crate) mod script;
pub(crate) mod sign;
pub(crate) mod verify;

use std::pin::Pin;

use plan::{Answer, FaultKind, Text};
use signer::Fault;

/// What became of an ask.
pub(crate) enum Begun {
    /// It is done.
    Done(Answer),
    /// It takes its time; the run goes on with other messages.
    Later(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

/// Why a key could not be used, as the engine hears it.
fn key_fault(fault: Fault) -> (FaultKind, Text) {
    let kind = match fault.kind {
        signer::FaultKind::Missing => FaultKind::KeyMissing,
        signer::FaultKind::Unusable | signer::FaultKind::Unfit => FaultKind::KeyUnusable,
        signer::FaultKind::Failed => FaultKind::KeyAway,
    };
    (kind, fault.text.into())
}
