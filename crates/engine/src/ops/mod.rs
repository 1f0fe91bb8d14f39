//! What each op does with a message; one file for each that does more than pass on.

pub(crate) mod branch;
pub(crate) mod call;
pub(crate) mod each;
pub(crate) mod edit;
pub(crate) mod fetch;
pub(crate) mod file;
pub(crate) mod hold;
pub(crate) mod issue;
pub(crate) mod open;
pub(crate) mod password;
pub(crate) mod reply;
pub(crate) mod script;
pub(crate) mod seal;
pub(crate) mod shape;
pub(crate) mod verify;

use plan::{Ask, AskId, Expr, Fault, FaultKind, Flow, LogLevel, Op, Path, ScriptIx, ShapeStep, Value};

use crate::eval::Scope;
use crate::work::{Delivery, Sought, Stage, Told, Work};
use shape::{Fate, Shaped};

/// Gives the message to its node; what the node wants of the world comes back.
pub(crate) fn deliver(flow: &Flow, work: &mut Work, delivery: Delivery, stage: Stage) -> Option<(AskId, Ask)> {
    match &flow.nodes[delivery.to.0 as usize].op {
        Op::Pass => {
            work.forward(flow, delivery, 0);
            None
        }
        Op::Shape { steps, otherwise } => shape_or_call(flow, work, delivery, steps, *otherwise),
        Op::Assign(steps) => {
            assign(flow, work, delivery, steps);
            None
        }
        Op::Edit(edits) => edit::go_on(flow, work, delivery, edits, stage),
        Op::Each { items, into } => {
            each::deliver(flow, work, delivery, items, into);
            None
        }
        Op::Branch(plan) => branch::go_on(flow, work, delivery, plan, stage),
        Op::Call { callee, pending, timeout_ms, .. } => call::call(flow, work, delivery, callee, pending, *timeout_ms),
        Op::Return { pending } => {
            call::give_back(flow, work, delivery, pending);
            None
        }
        Op::Script(script) => run_script(work, delivery, *script),
        Op::Issue { token, .. } => {
            let request = issue::request(&flow.tokens[token.0 as usize], *token, &work.scope(&delivery.message));
            work.ask_or_raise(flow, delivery, request.map(Ask::Mint))
        }
        Op::Verify { policy, .. } => verify::deliver(flow, work, delivery, *policy),
        Op::Fetch { fetch, to, busy } => fetch::deliver(flow, work, delivery, *fetch, to, busy),
        Op::Password(plan) => {
            let ask = password::ask(&work.scope(&delivery.message), plan);
            work.ask_or_raise(flow, delivery, ask.map(Ask::Password))
        }
        Op::ReadFile(plan) => file::deliver(flow, work, delivery, plan),
        Op::Hold(plan) => Some(hold::deliver(work, delivery, plan)),
        Op::Seal { plan, .. } => seal::seal(flow, work, delivery, plan),
        Op::Open { plan, .. } => open::deliver(flow, work, delivery, plan),
        Op::Reply(reply) => {
            let ask = Ask::Reply { reply: *reply, message: delivery.message.clone() };
            Some(work.ask(delivery, ask))
        }
        Op::Log { level, value } => log(flow, work, delivery, *level, value, stage),
        Op::Raise(fault) => {
            work.raise(flow, delivery, fault.clone());
            None
        }
    }
}

fn shape_or_call(
    flow: &Flow,
    work: &mut Work,
    delivery: Delivery,
    steps: &[ShapeStep],
    otherwise: ScriptIx,
) -> Option<(AskId, Ask)> {
    let Delivery { to, message, lineage } = delivery;
    match shape::shape(steps, message, &mut work.cells, &work.moment) {
        Shaped::On(message) => work.forward_grown(flow, Delivery { to, message, lineage }, steps),
        Shaped::Dropped(message) => work.done(flow, Delivery { to, message, lineage }),
        Shaped::Untouched(message) => return run_script(work, Delivery { to, message, lineage }, otherwise),
    }
    None
}

fn assign(flow: &Flow, work: &mut Work, mut delivery: Delivery, steps: &[ShapeStep]) {
    match shape::assign(steps, &mut delivery.message, &mut work.cells, None, &work.moment) {
        Ok(Fate::On) => work.forward_grown(flow, delivery, steps),
        Ok(Fate::Dropped) => work.done(flow, delivery),
        Err(fault) => work.raise(flow, delivery, fault),
    }
}

fn run_script(work: &mut Work, delivery: Delivery, script: ScriptIx) -> Option<(AskId, Ask)> {
    let ask = Ask::Script { script, message: delivery.message.clone() };
    Some(work.ask(delivery, ask))
}

fn log(
    flow: &Flow,
    work: &mut Work,
    delivery: Delivery,
    level: LogLevel,
    value: &Expr,
    stage: Stage,
) -> Option<(AskId, Ask)> {
    let told = match work.unevaluated(&delivery.message, &stage, std::iter::once(value)) {
        Ok(Some(wish)) => return work.seek(delivery, stage, wish),
        Ok(None) => work.scope_with(&delivery.message, &stage).eval(value),
        Err(fault) => Err(fault),
    };
    match told {
        Ok(value) => {
            work.told.push_back(Told::Log { node: delivery.to, level, value });
            work.done(flow, delivery);
        }
        Err(fault) => work.raise(flow, delivery, fault),
    }
    None
}

/// What an op must know, and how it is asked for.
type Wish = (Sought, Ask);

impl Work {
    /// What expressions may look at for this message, with the variables that were read for it.
    fn scope_with<'s>(&'s self, message: &'s Value, stage: &'s Stage) -> Scope<'s> {
        Scope { fetched: &stage.fetched, ..self.scope(message) }
    }

    /// The first variable that these expressions read and that was not read yet.
    fn wanted<'e>(&self, message: &Value, stage: &Stage, exprs: impl Iterator<Item = &'e Expr>) -> Option<Wish> {
        let scope = self.scope_with(message, stage);
        let wanted = exprs.flat_map(|expr| edit::variables(expr, &scope));
        let mut wanted = wanted.map(|variable| (Sought::Variable(variable.clone()), Ask::Read(variable)));
        wanted.find(|(sought, _)| !stage.knows(sought))
    }

    /// The first expression of the flow within these that was not evaluated yet.
    fn unevaluated<'e>(
        &self,
        message: &Value,
        stage: &Stage,
        exprs: impl Iterator<Item = &'e Expr>,
    ) -> Result<Option<Wish>, Fault> {
        let mut found = Vec::new();
        exprs.for_each(|expr| expr.evaluated(&mut found));
        let next = found.into_iter().find(|(expression, _)| !stage.knows(&Sought::Expression(*expression)));
        let Some((expression, input)) = next else { return Ok(None) };
        let input = self.scope_with(message, stage).eval(input)?;
        Ok(Some((Sought::Expression(expression), Ask::Evaluate { expression, input })))
    }

    /// Asks for what an op must know before it can go on.
    fn seek(&mut self, delivery: Delivery, mut stage: Stage, (sought, ask): Wish) -> Option<(AskId, Ask)> {
        stage.reading = Some(sought);
        Some(self.ask_at(delivery, ask, stage))
    }

    /// What expressions may look at for this message.
    fn scope<'s>(&'s self, message: &'s Value) -> Scope<'s> {
        Scope { message, cells: &self.cells, event: None, moment: &self.moment, fetched: &[] }
    }

    /// Sends the message on over one output and is done with it.
    fn forward(&mut self, flow: &Flow, delivery: Delivery, output: usize) {
        let node = &flow.nodes[delivery.to.0 as usize];
        let wires = node.outputs.get(output).map_or([].as_slice(), Vec::as_slice);
        if node.on_done.0.is_empty() {
            return self.send_one(wires, delivery.message, delivery.lineage);
        }
        self.send_one(wires, delivery.message.clone(), delivery.lineage);
        self.done(flow, delivery);
    }

    /// Sends the message on over output 0 unless these steps have made too much of it.
    fn forward_grown(&mut self, flow: &Flow, mut delivery: Delivery, steps: &[ShapeStep]) {
        match delivery.lineage.growth.after(steps, &delivery.message, &self.cells) {
            Ok(growth) => {
                delivery.lineage.growth = growth;
                self.forward(flow, delivery, 0);
            }
            Err(fault) => self.raise(flow, delivery, fault),
        }
    }

    /// Writes a value into the message and sends it on over output 0.
    fn write_and_forward(&mut self, flow: &Flow, mut delivery: Delivery, into: &Path, value: Value) {
        if into.write(&mut delivery.message, &mut self.cells, value) {
            self.forward(flow, delivery, 0);
        } else {
            self.raise(flow, delivery, Fault::new(FaultKind::Configuration, "the message has no place for the result"));
        }
    }

    fn ask_or_raise(&mut self, flow: &Flow, delivery: Delivery, ask: Result<Ask, Fault>) -> Option<(AskId, Ask)> {
        match ask {
            Ok(ask) => Some(self.ask(delivery, ask)),
            Err(fault) => {
                self.raise(flow, delivery, fault);
                None
            }
        }
    }
}
