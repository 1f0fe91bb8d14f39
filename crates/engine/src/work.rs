//! What a run has in hand: messages in line, open asks, and what is still to be told.

use std::collections::VecDeque;

use plan::{Ask, AskId, Cells, Fault, FaultKind, Flow, LogLevel, Node, NodeIx, Value, Wire};

use crate::growth::Growth;
use crate::{ASKS_OPEN_MAX, DELIVERIES_QUEUED_MAX};

/// Something for the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A fault that no handler took.
    Uncaught {
        /// Where it was raised.
        node: NodeIx,
        /// What went wrong.
        fault: Fault,
    },
    /// A fault that was dropped because its node failed too often in a row.
    FaultLoop {
        /// The node that fails.
        node: NodeIx,
        /// What went wrong the last time.
        fault: Fault,
    },
    /// A line that the flow writes.
    Log {
        /// The node that writes it.
        node: NodeIx,
        /// How loud.
        level: LogLevel,
        /// What it writes.
        value: Value,
    },
}

/// A message on its way to a node.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) to: NodeIx,
    pub(crate) message: Value,
    pub(crate) lineage: Lineage,
}

/// What a message inherits from the one that led to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    pub(crate) failed: Option<Failed>,
    pub(crate) growth: Growth,
}

/// The last node that failed on what led to a message, and how often in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) node: NodeIx,
    pub(crate) count: u32,
}

/// An open ask and the delivery that it belongs to.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) id: AskId,
    pub(crate) asked_epoch_ms: i64,
    pub(crate) delivery: Delivery,
}

#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) cells: Cells,
    pub(crate) queue: VecDeque<Delivery>,
    pub(crate) open: Vec<Pending>,
    pub(crate) told: VecDeque<Told>,
    pub(crate) deliveries_unwaited: u32,
    pub(crate) now_epoch_ms: i64,
    /// Too much stands in line; the next delivery ends the run.
    pub(crate) overflown: bool,
    /// The run was ended: nothing is delivered any more.
    ended: bool,
    asks: u64,
}

impl Work {
    pub(crate) fn new(cells: Cells) -> Self {
        Self {
            cells,
            queue: VecDeque::new(),
            open: Vec::new(),
            told: VecDeque::new(),
            deliveries_unwaited: 0,
            now_epoch_ms: 0,
            overflown: false,
            ended: false,
            asks: 0,
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.open.len() < ASKS_OPEN_MAX
    }

    /// Sends one message over the wires of one output.
    pub(crate) fn send_one(&mut self, wires: &[Wire], message: Value, lineage: Lineage) {
        let Some((last, others)) = wires.split_last() else { return };
        for to in others {
            self.push(Delivery { to: *to, message: message.clone(), lineage });
        }
        self.push(Delivery { to: *last, message, lineage });
    }

    /// Sends the messages of one call: outputs, then wires, then messages.
    pub(crate) fn send_all(&mut self, node: &Node, outputs: &[Vec<Value>], lineage: Lineage) {
        for (wires, messages) in node.outputs.iter().zip(outputs) {
            for to in wires {
                for message in messages {
                    self.push(Delivery { to: *to, message: message.clone(), lineage });
                }
            }
        }
    }

    /// Opens an ask for this delivery.
    pub(crate) fn ask(&mut self, delivery: Delivery, ask: Ask) -> (AskId, Ask) {
        (self.open(delivery), ask)
    }

    /// Opens an ask for this delivery that was made already.
    pub(crate) fn open(&mut self, delivery: Delivery) -> AskId {
        let id = AskId(self.asks);
        self.asks += 1;
        self.open.push(Pending { id, asked_epoch_ms: self.now_epoch_ms, delivery });
        id
    }

    /// Closes the ask that stands at this place.
    pub(crate) fn close(&mut self, at: usize) -> Delivery {
        self.open.swap_remove(at).delivery
    }

    /// Ends all that is still to be delivered, now and later.
    pub(crate) fn end_endless(&mut self, flow: &Flow, node: NodeIx) {
        self.queue.clear();
        self.overflown = false;
        self.ended = true;
        let fault = named(flow, Fault::new(FaultKind::Endless, ""));
        self.told.push_back(Told::Uncaught { node, fault });
    }

    pub(crate) fn push(&mut self, delivery: Delivery) {
        if self.queue.len() >= DELIVERIES_QUEUED_MAX {
            self.overflown = true;
        } else if !self.ended {
            self.queue.push_back(delivery);
        }
    }
}

/// The fault in the dialect's words, unless it has a code already.
pub(crate) fn named(flow: &Flow, mut fault: Fault) -> Fault {
    if fault.code.is_none()
        && let Some(text) = flow.faults.get(&fault.kind)
    {
        fault.code = Some(text.code.clone());
        fault.message = if fault.message.is_empty() {
            text.message.clone()
        } else {
            format!("{} ({})", text.message, fault.message).into()
        };
    }
    fault
}
