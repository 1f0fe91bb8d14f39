//! The life of one trigger's message: what is delivered, what is asked, and what the answers lead to.

use plan::{Answer, Ask, AskId, Cells, Fault, NodeIx, Op, Refusal, TriggerIx, TriggerKind, ValidFlow, Value};

use crate::moment::Moment;
use crate::work::{Delivery, Lineage, Told, Work};
use crate::{DELIVERIES_UNWAITED_MAX, WAIT_MS_MIN, ops};

/// What the engine may not find out by itself.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The instant, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_epoch_ms: i64,
    /// Drawn anew for each context: what fresh ids are made of. No secret depends on it.
    pub random: u128,
}

/// What comes of one step.
#[derive(Debug)]
pub enum Step {
    /// The world must do something; the answer is handed in under this id.
    Ask(AskId, Ask),
    /// Something for the log.
    Told(Told),
    /// Nothing can go on before an answer comes.
    Waiting,
    /// Nothing is left to deliver and no ask is open.
    Rest,
}

/// The answer belongs to no open ask, or is of another kind than its ask. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[error("the answer fits no open ask")]
pub struct Misfit;

/// The life of one trigger's message.
#[derive(Debug)]
pub struct Run {
    flow: ValidFlow,
    work: Work,
}

impl Run {
    /// A run of this trigger with a message that stands ready, and the cells that its handles lead to.
    pub fn start(flow: &ValidFlow, trigger: TriggerIx, message: Value, cells: Cells) -> Self {
        let mut run = Self { flow: flow.clone(), work: Work::new(cells) };
        if let Some(trigger) = flow.triggers.get(trigger.0 as usize) {
            run.work.send_one(&trigger.wires, message, Lineage::default());
        }
        run
    }

    /// A run of a trigger that builds its message itself ([`TriggerKind::Schedule`]).
    pub fn scheduled(flow: &ValidFlow, trigger: TriggerIx, context: &Context) -> Self {
        let steps = flow.triggers.get(trigger.0 as usize).map(|trigger| match &trigger.kind {
            TriggerKind::Request => [].as_slice(),
            TriggerKind::Schedule { message, .. } => message,
        });
        let mut message = Value::map::<&str>([]);
        let mut cells = Cells::default();
        let mut moment = Moment::default();
        moment.pass_to(context);
        let built = ops::shape::assign(steps.unwrap_or_default(), &mut message, &mut cells, None, &moment);
        match built {
            Ok(ops::shape::Fate::On) => Self::start(flow, trigger, message, cells),
            Ok(ops::shape::Fate::Dropped) | Err(_) => Self { flow: flow.clone(), work: Work::new(cells) },
        }
    }

    /// A run without a trigger: this message, at this node.
    pub fn at(flow: &ValidFlow, node: NodeIx, message: Value) -> Self {
        let mut run = Self { flow: flow.clone(), work: Work::new(Cells::default()) };
        if (node.0 as usize) < flow.nodes.len() {
            run.work.push(Delivery { to: node, message, lineage: Lineage::default() });
        }
        run
    }

    /// A run without a trigger: the script of this node speaks by itself, under the ask that is open from the start.
    pub fn of_script(flow: &ValidFlow, node: NodeIx, context: &Context) -> (Self, AskId) {
        let mut work = Work::new(Cells::default());
        work.moment.pass_to(context);
        let id = work.open(Delivery { to: node, message: Value::map::<&str>([]), lineage: Lineage::default() });
        (Self { flow: flow.clone(), work }, id)
    }

    /// What the handles of this run's messages lead to.
    pub fn cells(&self) -> &Cells {
        &self.work.cells
    }

    /// Goes on until something must be done, told or waited for.
    pub fn step(&mut self, context: &Context) -> Step {
        let Self { flow, work } = self;
        work.moment.pass_to(context);
        loop {
            if let Some(told) = work.told.pop_front() {
                return Step::Told(told);
            }
            let Some((delivery, stage)) = work.next() else {
                return if work.open.is_empty() { Step::Rest } else { Step::Waiting };
            };
            work.deliveries_unwaited += 1;
            if work.deliveries_unwaited > DELIVERIES_UNWAITED_MAX || work.overflown {
                work.end_endless(flow, delivery.to);
            } else if let Some((id, ask)) = ops::deliver(flow, work, delivery, stage) {
                return Step::Ask(id, ask);
            }
        }
    }

    /// Takes an answer in; [`Run::step`] shows what it leads to.
    ///
    /// # Errors
    ///
    /// [`Misfit`] if no ask of that id is open, or if it asked for something else. An [`Answer::Elapsed`] that comes after
    /// its wait was given up changes nothing and is no misfit.
    pub fn answer(&mut self, id: AskId, answer: Answer, context: &Context) -> Result<(), Misfit> {
        let Self { flow, work } = self;
        let Some(at) = work.open.iter().position(|pending| pending.id == id) else {
            return if matches!(answer, Answer::Elapsed) { Ok(()) } else { Err(Misfit) };
        };
        let pending = &work.open[at];
        let op = &flow.nodes[pending.delivery.to.0 as usize].op;
        if !fits(op, pending.stage.reading.is_some(), &answer) {
            return Err(Misfit);
        }
        if context.now_epoch_ms - pending.asked_epoch_ms >= WAIT_MS_MIN {
            work.deliveries_unwaited = 0;
        }
        work.moment.pass_to(context);
        take_in(flow, work, at, answer);
        Ok(())
    }
}

/// Takes in the answer to the ask that stands open at this place.
fn take_in(flow: &ValidFlow, work: &mut Work, at: usize, answer: Answer) {
    match answer {
        Answer::Script(event) => ops::script::heard(flow, work, at, event),
        Answer::Signed(token) => {
            let delivery = work.close(at);
            ops::issue::signed(flow, work, delivery, token);
        }
        Answer::Sealed { token, warnings, known } => {
            let delivery = work.close(at);
            ops::seal::sealed(flow, work, delivery, &token, (warnings, known));
        }
        Answer::Verified(claims) => {
            let delivery = work.close(at);
            ops::verify::verified(flow, work, delivery, &claims);
        }
        Answer::Opened(known) => {
            let delivery = work.close(at);
            ops::open::opened(flow, work, delivery, *known);
        }
        Answer::Refused(refusal) => {
            let delivery = work.close(at);
            refused(flow, work, delivery, refusal);
        }
        Answer::Password(outcome) => {
            let delivery = work.close(at);
            ops::password::done(flow, work, delivery, outcome);
        }
        Answer::File(outcome) => {
            let delivery = work.close(at);
            ops::file::read(flow, work, delivery, outcome);
        }
        Answer::Passed(passage) => {
            let delivery = work.close(at);
            ops::hold::passed(flow, work, delivery, passage);
        }
        Answer::Fetched(fetched) => {
            let delivery = work.close(at);
            ops::fetch::fetched(flow, work, delivery, *fetched);
        }
        Answer::Value(value) => work.resume(at, Some(value)),
        Answer::Written => work.resume(at, None),
        Answer::Elapsed => {
            let delivery = work.close(at);
            ops::call::overdue(flow, work, delivery);
        }
        Answer::Replied => {
            let delivery = work.close(at);
            work.done(flow, delivery);
        }
        Answer::Declined(text) => {
            let delivery = work.close(at);
            ops::reply::declined(flow, work, delivery, text);
        }
        Answer::Failed(fault) => {
            let delivery = work.close(at);
            work.raise(flow, delivery, fault);
        }
    }
}

fn fits(op: &Op, reads: bool, answer: &Answer) -> bool {
    match answer {
        Answer::Signed(_) => matches!(op, Op::Issue { .. }),
        Answer::Sealed { .. } => matches!(op, Op::Seal { .. }),
        Answer::Opened(_) => matches!(op, Op::Open { .. }),
        Answer::Refused(Refusal::Layer(..)) => matches!(op, Op::Seal { .. } | Op::Open { .. }),
        Answer::Verified(_) => matches!(op, Op::Verify { .. }),
        Answer::Refused(Refusal::Token(..)) => matches!(op, Op::Verify { .. } | Op::Open { .. }),
        Answer::Refused(Refusal::Key(..)) => {
            matches!(op, Op::Issue { .. } | Op::Verify { .. } | Op::Seal { .. } | Op::Open { .. })
        }
        Answer::Script(_) => matches!(op, Op::Script(_) | Op::Shape { .. }),
        Answer::Replied | Answer::Declined(_) => matches!(op, Op::Reply(_)),
        Answer::Password(_) => matches!(op, Op::Password(_)),
        Answer::File(_) => matches!(op, Op::ReadFile(_)),
        Answer::Passed(_) => matches!(op, Op::Hold(_)),
        Answer::Fetched(_) => matches!(op, Op::Fetch { .. }),
        Answer::Value(_) => reads,
        Answer::Written => matches!(op, Op::Edit(_) | Op::Branch(_)) && !reads,
        Answer::Elapsed => matches!(op, Op::Call { .. }),
        Answer::Failed(_) => true,
    }
}

fn refused(flow: &ValidFlow, work: &mut Work, delivery: Delivery, refusal: Refusal) {
    match refusal {
        Refusal::Key(kind, detail) => work.raise(flow, delivery, Fault::new(kind, detail)),
        Refusal::Layer(layer, kind, detail) => work.raise(flow, delivery, ops::seal::fault(layer, kind, &detail)),
        Refusal::Token(flaw, detail) if matches!(flow.nodes[delivery.to.0 as usize].op, Op::Open { .. }) => {
            work.raise(flow, delivery, ops::open::fault(flaw, None, &detail));
        }
        Refusal::Token(flaw, _) => ops::verify::refused(flow, work, delivery, flaw),
    }
}
