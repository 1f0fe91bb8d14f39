//! Holds messages back: reads what each one orders, and takes in what became of it.

use plan::ecmascript::parse_float;
use plan::{Ask, AskId, Flow, HoldMembers, HoldOrder, HoldPlan, Op, Passage, Path, Value};

use crate::work::{Delivery, Work};

/// Holds this message back.
pub(crate) fn deliver(work: &mut Work, delivery: Delivery, plan: &HoldPlan) -> (AskId, Ask) {
    let order = order(&delivery.message, &plan.orders);
    let node = delivery.to;
    work.ask(delivery, Ask::Hold { node, order })
}

/// Takes in what became of the message; one that goes on has no orders any more that others have obeyed.
pub(crate) fn passed(flow: &Flow, work: &mut Work, mut delivery: Delivery, passage: Passage) {
    match passage {
        Passage::Through => {
            if let Op::Hold(plan) = &flow.nodes[delivery.to.0 as usize].op {
                undress(work, &mut delivery.message, plan);
            }
            work.forward(flow, delivery, 0);
        }
        Passage::Aside => work.forward(flow, delivery, 1),
        Passage::Away => work.done(flow, delivery),
    }
}

fn order(message: &Value, names: &HoldMembers) -> HoldOrder {
    let member = |name: &str| message.as_map().and_then(|map| map.get(name));
    let number = |name: &Option<_>| {
        let number = parse_float(name.as_deref().and_then(member)?);
        (!number.is_nan()).then_some(number)
    };
    let is_more = |name: &str| ![&*names.empty, &*names.release, &*names.always].contains(&name);
    let count = |count: &Value| count.as_number().map_or(u64::MAX, |count| count.as_f64().floor() as u64);
    let releases = member(&names.release).map(count);
    HoldOrder {
        wait_ms: number(&names.wait),
        pace_ms: number(&names.pace),
        empties: member(&names.empty).is_some(),
        releases,
        says_more: message.as_map().is_some_and(|map| map.iter().any(|(name, _)| is_more(name))),
        front: member(&names.front) == Some(&Value::Bool(true)),
        topic: member(&names.topic).cloned().unwrap_or_default(),
    }
}

fn undress(work: &mut Work, message: &mut Value, plan: &HoldPlan) {
    if plan.stands_in_line() {
        for name in [&plan.orders.release, &plan.orders.empty] {
            Path::keys([name]).remove(message, &mut work.cells);
        }
    }
}
