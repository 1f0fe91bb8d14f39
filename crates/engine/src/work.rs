//! What a run has in hand: messages in line, open asks, and what is still to be told.

use std::collections::VecDeque;

use plan::{Ask, AskId, Cells, ExpressionIx, Fault, FaultKind, Flow, LogLevel, Node, NodeIx, Value, Variable, Wire};

use crate::growth::Growth;
use crate::moment::Moment;
use crate::{ASKS_OPEN_MAX, DELIVERIES_QUEUED_MAX, TEXT_BYTES_MADE_MAX};

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
    /// A status that a node shows.
    Status {
        /// The node that shows it.
        node: NodeIx,
        /// What it shows.
        status: Value,
    },
}

impl Told {
    /// The node that it is told of.
    pub fn node(&self) -> NodeIx {
        match self {
            Self::Uncaught { node, .. }
            | Self::FaultLoop { node, .. }
            | Self::Log { node, .. }
            | Self::Status { node, .. } => *node,
        }
    }
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
    pub(crate) stage: Stage,
}

/// How far an op has come with a message, and what it has learnt on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage {
    /// Steps that are done.
    pub(crate) done: usize,
    /// What was learnt for the next step.
    pub(crate) fetched: Vec<(Sought, Value)>,
    /// What is being asked for.
    pub(crate) reading: Option<Sought>,
}

/// What an op must ask for before it can evaluate what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sought {
    /// What stands in a variable.
    Variable(Variable),
    /// What an expression makes of a value that follows from the message.
    Expression(ExpressionIx),
}

impl Stage {
    /// Whether this was asked for and answered.
    pub(crate) fn knows(&self, sought: &Sought) -> bool {
        self.fetched.iter().any(|(known, _)| known == sought)
    }
}

#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) cells: Cells,
    pub(crate) queue: VecDeque<Delivery>,
    /// Messages whose op can go on: they come before those in line.
    pub(crate) resumed: VecDeque<(Delivery, Stage)>,
    pub(crate) open: Vec<Pending>,
    pub(crate) told: VecDeque<Told>,
    pub(crate) deliveries_unwaited: u32,
    pub(crate) moment: Moment,
    /// Too much stands in line; the next delivery ends the run.
    pub(crate) overflown: bool,
    /// The run was ended: nothing is delivered any more.
    ended: bool,
    asks: u64,
    text_bytes_made: usize,
}

impl Work {
    pub(crate) fn new(cells: Cells) -> Self {
        Self {
            cells,
            queue: VecDeque::new(),
            resumed: VecDeque::new(),
            open: Vec::new(),
            told: VecDeque::new(),
            deliveries_unwaited: 0,
            moment: Moment::default(),
            overflown: false,
            ended: false,
            asks: 0,
            text_bytes_made: 0,
        }
    }

    /// The message that comes next; none while too many asks are open.
    pub(crate) fn next(&mut self) -> Option<(Delivery, Stage)> {
        if self.open.len() >= ASKS_OPEN_MAX {
            return None;
        }
        self.resumed.pop_front().or_else(|| Some((self.queue.pop_front()?, Stage::default())))
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
        self.ask_at(delivery, ask, Stage::default())
    }

    /// Opens an ask for this delivery, whose op has come that far.
    pub(crate) fn ask_at(&mut self, delivery: Delivery, ask: Ask, stage: Stage) -> (AskId, Ask) {
        (self.open_at(delivery, stage), ask)
    }

    /// Opens an ask for this delivery that was made already.
    pub(crate) fn open(&mut self, delivery: Delivery) -> AskId {
        self.open_at(delivery, Stage::default())
    }

    fn open_at(&mut self, delivery: Delivery, stage: Stage) -> AskId {
        let id = AskId(self.asks);
        self.asks += 1;
        self.open.push(Pending { id, asked_epoch_ms: self.moment.now_epoch_ms(), delivery, stage });
        id
    }

    /// Closes the ask that stands at this place; its op goes on with the next step.
    pub(crate) fn resume(&mut self, at: usize, answer: Option<Value>) {
        let Pending { delivery, mut stage, .. } = self.open.swap_remove(at);
        stage.fetched.extend(stage.reading.take().zip(answer));
        self.resumed.push_back((delivery, stage));
    }

    /// Counts the text that was made for this run.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Oversized`] beyond [`TEXT_BYTES_MADE_MAX`].
    pub(crate) fn count_text(&mut self, value: &Value) -> Result<(), Fault> {
        self.text_bytes_made += value.as_text().map_or(0, str::len);
        if self.text_bytes_made <= TEXT_BYTES_MADE_MAX {
            return Ok(());
        }
        Err(Fault::new(
            FaultKind::Oversized,
            format!("the run has made more than {TEXT_BYTES_MADE_MAX} octets of text"),
        ))
    }

    /// Closes the ask that stands at this place.
    pub(crate) fn close(&mut self, at: usize) -> Delivery {
        self.open.swap_remove(at).delivery
    }

    /// Ends all that is still to be delivered, now and later.
    pub(crate) fn end_endless(&mut self, flow: &Flow, node: NodeIx) {
        self.queue.clear();
        self.resumed.clear();
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
        fault.message = match (text.message.is_empty(), fault.message.is_empty()) {
            (true, _) => fault.message,
            (false, true) => text.message.clone(),
            (false, false) => format!("{} ({})", text.message, fault.message).into(),
        };
    }
    fault
}
