//! Files: asks for the one that a message names, and goes on with what stands in it.

use std::sync::Arc;

use plan::{Ask, AskId, Fault, FaultKind, FilePlan, Flow, LogLevel, Op, Text, Value};

use crate::work::{Delivery, Told, Work};

/// Asks for the file of this message.
pub(crate) fn deliver(flow: &Flow, work: &mut Work, mut delivery: Delivery, plan: &FilePlan) -> Option<(AskId, Ask)> {
    let ask = match work.scope(&delivery.message).eval(&plan.name) {
        Ok(Value::Text(name)) if !name.is_empty() => {
            put(work, &mut delivery, &plan.named, Value::Text(name.clone())).map(|()| Ask::ReadFile(name))
        }
        Ok(_) => {
            let value = Value::Text(plan.unnamed.clone());
            work.told.push_back(Told::Log { node: delivery.to, level: LogLevel::Warn, value });
            work.done(flow, delivery);
            return None;
        }
        Err(fault) => Err(fault),
    };
    work.ask_or_raise(flow, delivery, ask)
}

/// Goes on with what stands in the file, or with why that is not known.
pub(crate) fn read(flow: &Flow, work: &mut Work, mut delivery: Delivery, outcome: Result<Arc<[u8]>, Fault>) {
    let Op::ReadFile(plan) = &flow.nodes[delivery.to.0 as usize].op else { return };
    let value = outcome.map(Value::Bytes).and_then(|octets| match plan.read_as {
        Some(function) => (function.run)(&[octets]),
        None => Ok(octets),
    });
    let written = match (value, &plan.failed) {
        (Ok(value), _) => put(work, &mut delivery, &plan.into, value),
        (Err(fault), None) => Err(fault),
        (Err(fault), Some(failed)) => {
            let told = Value::map([("code", text(fault.code.as_ref())), ("message", text(Some(&fault.message)))]);
            work.raise(flow, delivery.clone(), fault);
            plan.into.remove(&mut delivery.message, &mut work.cells);
            put(work, &mut delivery, failed, told)
        }
    };
    match written.and_then(|()| delivery.lineage.growth.after_outside(&delivery.message, &work.cells)) {
        Ok(growth) => {
            delivery.lineage.growth = growth;
            work.forward(flow, delivery, 0);
        }
        Err(fault) => work.raise(flow, delivery, fault),
    }
}

fn put(work: &mut Work, delivery: &mut Delivery, into: &plan::Path, value: Value) -> Result<(), Fault> {
    let is_written = into.write(&mut delivery.message, &mut work.cells, value);
    let homeless = || Fault::new(FaultKind::Configuration, "the message has no place for the result");
    is_written.then_some(()).ok_or_else(homeless)
}

fn text(text: Option<&Text>) -> Value {
    text.map_or(Value::Undefined, |text| Value::Text(text.clone()))
}
