//! Asks somebody outside, and takes in what the dialect made of the answer.

use plan::{Ask, AskId, Expr, FetchIx, Fetched, Flow, LogLevel, Value};

use crate::work::{Delivery, Told, Work};

/// Asks on behalf of this message.
pub(crate) fn deliver(
    flow: &Flow,
    work: &mut Work,
    delivery: Delivery,
    fetch: FetchIx,
    to: &Expr,
    busy: &Value,
) -> Option<(AskId, Ask)> {
    let to = work.scope(&delivery.message).eval(to);
    if to.is_ok() {
        show(flow, work, &delivery, busy);
    }
    let ask = to.map(|to| Ask::Fetch { fetch, to, message: delivery.message.clone() });
    work.ask_or_raise(flow, delivery, ask)
}

/// Takes the answer in: first what is told, raised and shown, then the message goes on.
pub(crate) fn fetched(flow: &Flow, work: &mut Work, mut delivery: Delivery, fetched: Fetched) {
    let Fetched { warnings, fault, faulty, status, message } = fetched;
    for text in warnings {
        work.told.push_back(Told::Log { node: delivery.to, level: LogLevel::Warn, value: Value::Text(text) });
    }
    if let Some(fault) = fault {
        let message = faulty.filter(|faulty| delivery.lineage.growth.after_outside(faulty, &work.cells).is_ok());
        let message = message.unwrap_or_else(|| delivery.message.clone());
        work.raise(flow, Delivery { message, ..delivery.clone() }, fault);
    }
    show(flow, work, &delivery, &status);
    let Some(message) = message else { return work.done(flow, delivery) };
    match delivery.lineage.growth.after_outside(&message, &work.cells) {
        Ok(growth) => {
            delivery.message = message;
            delivery.lineage.growth = growth;
            work.forward(flow, delivery, 0);
        }
        Err(fault) => work.raise(flow, delivery, fault),
    }
}

fn show(flow: &Flow, work: &mut Work, delivery: &Delivery, status: &Value) {
    if !status.is_undefined() {
        work.status(flow, delivery.to, delivery.lineage, status);
    }
}
