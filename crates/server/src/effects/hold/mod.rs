//! Messages that are held back: each waits in its own run for what the gate of its node says.

mod gate;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plan::{Answer, HoldMode, HoldOrder, NodeIx, Op, Passage};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use self::gate::Gate;
use super::Begun;
use crate::deployment::LiveDocument;

/// Messages that one node may hold; a further one is an error.
const HELD_MAX: usize = 10_000;

/// The gates of a document, each made by its first message.
#[derive(Default)]
pub(crate) struct Gates(Mutex<HashMap<NodeIx, Kept>>);

/// A gate and the task that moves it.
struct Kept {
    keeper: Arc<Keeper>,
    mover: AbortHandle,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.mover.abort();
    }
}

/// What became of a message so far.
enum Entered {
    /// It is held, or passes together with others.
    Held(oneshot::Receiver<Passage>),
    /// It is decided.
    Decided(Passage),
}

/// Keeps one gate, and moves it when its time comes.
struct Keeper {
    gate: Mutex<Gate<oneshot::Sender<Passage>>>,
    since: Instant,
    changed: Notify,
}

/// Holds a message back.
pub(crate) fn hold(live: &LiveDocument, node: NodeIx, order: &HoldOrder) -> Begun {
    let Op::Hold(plan) = &live.flow().nodes[node.0 as usize].op else {
        return Begun::Done(Answer::Passed(Passage::Through));
    };
    let keeper = live.gates().keeper(node, &plan.mode);
    match keeper.enter(order) {
        None => Begun::Done(Answer::Failed(plan.overfull.clone())),
        Some(Entered::Decided(passage)) => Begun::Done(Answer::Passed(passage)),
        // A gate that is taken away turns away what it holds.
        Some(Entered::Held(heard)) => {
            Begun::Later(Box::pin(async move { Answer::Passed(heard.await.unwrap_or(Passage::Away)) }))
        }
    }
}

impl Gates {
    fn keeper(&self, node: NodeIx, mode: &HoldMode) -> Arc<Keeper> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = gates.entry(node).or_insert_with(|| {
            let keeper = Arc::new(Keeper::new(mode.clone()));
            let mover = tokio::spawn(Arc::clone(&keeper).keep_moving()).abort_handle();
            Kept { keeper, mover }
        });
        Arc::clone(&kept.keeper)
    }
}

impl Keeper {
    fn new(mode: HoldMode) -> Self {
        Self { gate: Mutex::new(Gate::new(mode)), since: Instant::now(), changed: Notify::new() }
    }

    /// Takes a message in; what becomes of it is heard. None if too many are held.
    fn enter(&self, order: &HoldOrder) -> Option<Entered> {
        let mut gate = self.gate();
        if gate.len() >= HELD_MAX {
            gate.forget(oneshot::Sender::is_closed);
        }
        if gate.len() >= HELD_MAX {
            return None;
        }
        let (ticket, mut heard) = oneshot::channel();
        let passed = gate.enter(ticket, order, self.now_ms(), share());
        drop(gate);
        self.changed.notify_one();
        let is_alone = passed.len() == 1;
        tell(passed);
        // Where others pass too, all of them hear of it in their order.
        let decided = if is_alone { heard.try_recv().ok() } else { None };
        Some(decided.map_or_else(|| Entered::Held(heard), Entered::Decided))
    }

    async fn keep_moving(self: Arc<Self>) {
        loop {
            let due_ms = self.gate().due_ms();
            let due = due_ms.map(|due_ms| self.since + Duration::from_secs_f64(due_ms / 1_000.0));
            tokio::select! {
                () = until(due) => self.tick(),
                () = self.changed.notified() => {}
            }
        }
    }

    fn tick(&self) {
        let mut gate = self.gate();
        // Who went away must not take the turn of somebody who waits.
        gate.forget(oneshot::Sender::is_closed);
        tell(gate.tick(self.now_ms()));
    }

    fn gate(&self) -> MutexGuard<'_, Gate<oneshot::Sender<Passage>>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> f64 {
        self.since.elapsed().as_secs_f64() * 1_000.0
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn tell(passed: Vec<(oneshot::Sender<Passage>, Passage)>) {
    for (ticket, passage) in passed {
        // A run that was cut off has nothing more to hear.
        let _ = ticket.send(passage);
    }
}

/// Somewhere from 0 to 1. It spreads waits and protects nothing, so the seeds of hash tables are random enough.
fn share() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node holds no more than its bound, and whoever went away makes room.
    #[tokio::test]
    async fn a_gate_is_full_at_its_bound() {
        let keeper = Keeper::new(HoldMode::Each { from_ms: 60_000.0, to_ms: 60_000.0 });
        let order = HoldOrder { says_more: true, ..HoldOrder::default() };
        let mut held: Vec<_> = (0..HELD_MAX).map(|_| keeper.enter(&order).unwrap()).collect();
        assert!(keeper.enter(&order).is_none());
        held.pop();
        assert!(keeper.enter(&order).is_some());
    }

    #[test]
    fn waits_are_spread() {
        let shares: Vec<f64> = (0..100).map(|_| share()).collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        assert!(shares.iter().any(|share| *share < 0.4) && shares.iter().any(|share| *share > 0.6));
    }
}
