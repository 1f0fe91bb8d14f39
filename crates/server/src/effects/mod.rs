//! What the engine asks for, done: one file for each kind of ask.

pub(crate) mod expression;
pub mod fetch;
pub mod file;
pub(crate) mod hold;
pub mod open;
pub(crate) mod password;
pub mod pool;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod script;
pub mod seal;
pub mod sign;
pub(crate) mod variable;
pub mod verify;

use std::pin::Pin;

use plan::{Answer, FaultKind, Refusal};
use signer::Fault;

/// What became of an ask.
pub enum Begun {
    /// It is done.
    Done(Answer),
    /// It takes its time; the run goes on with other messages.
    Later(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

/// Why a key could not be used, as the engine hears it.
fn refused(fault: Fault) -> Answer {
    Answer::Refused(Refusal::Key(kind(fault.kind), fault.text.into()))
}

fn kind(kind: signer::FaultKind) -> FaultKind {
    match kind {
        signer::FaultKind::Missing => FaultKind::KeyMissing,
        signer::FaultKind::Unusable => FaultKind::KeyUnusable,
        signer::FaultKind::Unfit => FaultKind::KeyUnfit,
        signer::FaultKind::Length => FaultKind::KeyLength,
        signer::FaultKind::Failed => FaultKind::KeyAway,
    }
}
