//! A script speaks: what it sends, raises, shows and changes.

use plan::{Flow, ScriptEvent, Value};

use crate::work::{Delivery, Told, Work};

/// Takes in what the script said whose ask stands open at this place.
pub(crate) fn heard(flow: &Flow, work: &mut Work, at: usize, event: ScriptEvent) {
    let Delivery { to: node, lineage, .. } = work.open[at].delivery;
    match event {
        ScriptEvent::Send(outputs) => work.send_all(&flow.nodes[node.0 as usize], &outputs, lineage),
        ScriptEvent::Fault { fault, message } => {
            let delivery = about(work, at, message);
            work.raise(flow, delivery, fault);
        }
        ScriptEvent::Log { level, text } => {
            work.told.push_back(Told::Log { node, level, value: Value::Text(text) });
        }
        ScriptEvent::Status(status) => work.status(flow, node, lineage, &status),
        ScriptEvent::Cell { handle, value } => {
            if let Some(cell) = work.cells.get_mut(plan::Handle(handle)) {
                *cell = value;
            }
        }
        ScriptEvent::Done(message) => {
            let delivery = about(work, at, message);
            work.done(flow, delivery);
        }
        ScriptEvent::Rest => {
            work.close(at);
        }
    }
}

/// The script's own delivery, with the message that it names in place of the one that it was called with.
fn about(work: &Work, at: usize, message: Option<Value>) -> Delivery {
    let called = &work.open[at].delivery;
    let message = message.unwrap_or_else(|| called.message.clone());
    Delivery { to: called.to, message, lineage: called.lineage }
}
