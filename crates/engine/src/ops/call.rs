//! Calls: a message goes to another node and comes back. The open ask for a call's patience is its entry in the table.

use plan::ecmascript::text_of;
use plan::{Ask, AskId, Callee, Fault, Flow, LogLevel, NodeIx, Op, Path, Value};

use crate::work::{Delivery, Told, Work};

/// The member of an entry that names the call.
const ID: &str = "id";
/// The member of an entry that names the caller, by the author's id.
const CALLER: &str = "node";

/// Calls a node.
pub(crate) fn call(
    flow: &Flow,
    work: &mut Work,
    delivery: Delivery,
    callee: &Callee,
    pending: &Path,
    timeout_ms: u64,
) -> Option<(AskId, Ask)> {
    let to = match find(work, &delivery, callee) {
        Ok(to) => to,
        Err(fault) => {
            work.raise(flow, delivery, fault);
            return None;
        }
    };
    let (mut message, lineage, caller) = (delivery.message.clone(), delivery.lineage, delivery.to);
    let (id, ask) = work.ask(delivery, Ask::Wait { delay_ms: timeout_ms });
    let entry =
        Value::map([(ID, Value::Text(id.0.to_string().into())), (CALLER, Value::Text(author_id(flow, caller)))]);
    let mut entries = entries(&message, work, pending);
    entries.push(entry);
    pending.write(&mut message, &mut work.cells, Value::list(entries));
    work.push(Delivery { to, message, lineage });
    Some((id, ask))
}

/// Sends a message back to its last caller.
pub(crate) fn give_back(flow: &Flow, work: &mut Work, delivery: Delivery, pending: &Path) {
    let mut entries = entries(&delivery.message, work, pending);
    let Some(entry) = entries.pop() else {
        return nobody(work, &delivery);
    };
    let mut message = delivery.message.clone();
    if entries.is_empty() {
        pending.remove(&mut message, &mut work.cells);
    } else {
        pending.write(&mut message, &mut work.cells, Value::list(entries));
    }
    let member = |name: &str| entry.as_map().and_then(|entry| entry.get(name)).map(text_of).unwrap_or_default();
    let lineage = delivery.lineage;
    match open_call(flow, work, &member(ID)) {
        Some(at) => {
            let to = work.close(at).to;
            work.forward(flow, Delivery { to, message, lineage }, 0);
        }
        // The call is over, by an earlier return or by its time; its node still sends on what comes back.
        None => match caller(flow, &member(CALLER)) {
            Some(to) => {
                let wires = flow.nodes[to.0 as usize].outputs.first().map_or([].as_slice(), Vec::as_slice);
                work.send_one(wires, message, lineage);
            }
            None => return nobody(work, &delivery),
        },
    }
    work.done(flow, delivery);
}

/// A call has not come back in time.
pub(crate) fn overdue(flow: &Flow, work: &mut Work, delivery: Delivery) {
    if let Op::Call { overdue, .. } = &flow.nodes[delivery.to.0 as usize].op {
        work.raise(flow, delivery, (**overdue).clone());
    }
}

fn find(work: &Work, delivery: &Delivery, callee: &Callee) -> Result<NodeIx, Fault> {
    match callee {
        Callee::Node(node) => Ok(*node),
        Callee::Named { name, nodes, unknown, ambiguous } => {
            let name = text_of(&work.scope(&delivery.message).eval(name)?);
            let about =
                |fault: &Fault| Fault { message: fault.message.replace("{name}", &name).into(), ..fault.clone() };
            match nodes.get(name.as_str()).map_or([].as_slice(), Vec::as_slice) {
                [node] => Ok(*node),
                [] => Err(about(unknown)),
                [_, _, ..] => Err(about(ambiguous)),
            }
        }
    }
}

fn entries(message: &Value, work: &Work, pending: &Path) -> Vec<Value> {
    let kept = pending.read(message, &work.cells);
    if let Value::List(entries) = kept { entries.to_vec() } else { Vec::new() }
}

fn open_call(flow: &Flow, work: &Work, id: &str) -> Option<usize> {
    let is_call = |node: NodeIx| matches!(flow.nodes[node.0 as usize].op, Op::Call { .. });
    work.open.iter().position(|pending| pending.id.0.to_string() == id && is_call(pending.delivery.to))
}

fn caller(flow: &Flow, id: &str) -> Option<NodeIx> {
    let mut nodes = (0..).map(NodeIx).take(flow.nodes.len());
    nodes.find(|node| matches!(flow.nodes[node.0 as usize].op, Op::Call { .. }) && *author_id(flow, *node) == *id)
}

fn author_id(flow: &Flow, node: NodeIx) -> plan::Text {
    flow.origins[flow.nodes[node.0 as usize].origin.0 as usize].id.clone()
}

fn nobody(work: &mut Work, delivery: &Delivery) {
    let value = Value::text("The message returns from a call that nobody made.");
    work.told.push_back(Told::Log { node: delivery.to, level: LogLevel::Warn, value });
}
