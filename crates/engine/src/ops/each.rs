//! Several messages of one: a copy for each item of a list.

use plan::{Expr, Fault, FaultKind, Flow, Slot, Text, Value};

use crate::work::{Delivery, Work};

/// Sends a copy of the message for each item, with the item's members in their places.
pub(crate) fn deliver(flow: &Flow, work: &mut Work, delivery: Delivery, items: &Expr, into: &[(Text, Slot)]) {
    let items = work.scope(&delivery.message).eval(items);
    let grown = items.and_then(|items| Ok((delivery.lineage.growth.after_items(&items)?, items)));
    let (growth, items) = match grown {
        Ok((growth, Value::List(items))) => (growth, items),
        Ok((_, _)) => {
            return work.raise(flow, delivery, Fault::new(FaultKind::ValueUnfit, "there is no list of items"));
        }
        Err(fault) => return work.raise(flow, delivery, fault),
    };
    let mut lineage = delivery.lineage;
    lineage.growth = growth;
    let wires = flow.nodes[delivery.to.0 as usize].outputs.first().map_or([].as_slice(), Vec::as_slice);
    for item in items.iter() {
        let mut message = delivery.message.clone();
        for (name, place) in into {
            let Some(value) = item.as_map().and_then(|item| item.get(name)) else { continue };
            if let Some(path) = place.way.resolve(&message, &work.cells) {
                path.write(&mut message, &mut work.cells, value.clone());
            }
        }
        work.send_one(wires, message, lineage);
    }
    work.done(flow, delivery);
}
