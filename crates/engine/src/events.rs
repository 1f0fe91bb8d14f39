//! The three event edges of a node: who hears of a fault, of being done, of a status.

use plan::{Date, Fault, Flow, HandlerGroup, Handlers, NodeIx, Op, Origin, Value};

use crate::FAULTS_IN_A_ROW_MAX;
use crate::ops::shape::{Fate, assign};
use crate::work::{Delivery, Failed, Lineage, Told, Work, named};

/// What a handler is told of.
pub(crate) struct Event<'e> {
    pub(crate) source: &'e Origin,
    pub(crate) fault: Option<&'e Fault>,
    pub(crate) status: Option<&'e Value>,
    pub(crate) instant: Option<Date>,
    pub(crate) count: u32,
}

impl<'e> Event<'e> {
    /// What the steps hear of that dress a message whose token was refused at this node.
    pub(crate) fn of_token(flow: &'e Flow, node: NodeIx, instant: Option<Date>) -> Self {
        Self { source: origin(flow, node), fault: None, status: None, instant, count: 0 }
    }
}

impl Work {
    /// Raises a fault at the node of this delivery, on its message.
    pub(crate) fn raise(&mut self, flow: &Flow, delivery: Delivery, fault: Fault) {
        let Delivery { to: node, message, lineage } = delivery;
        let fault = named(flow, fault);
        let count = lineage.failed.filter(|failed| failed.node == node).map_or(1, |failed| failed.count + 1);
        if count >= FAULTS_IN_A_ROW_MAX {
            return self.told.push_back(Told::FaultLoop { node, fault });
        }
        let Some(group) = first_group(&flow.nodes[node.0 as usize].on_error) else {
            return self.told.push_back(Told::Uncaught { node, fault });
        };
        let event = Event { source: origin(flow, node), fault: Some(&fault), status: None, instant: None, count };
        let lineage = Lineage { failed: Some(Failed { node, count }), ..lineage };
        self.tell_group(flow, group, node, &message, lineage, &event);
    }

    /// Tells the done edge that the node of this delivery is done with its message.
    pub(crate) fn done(&mut self, flow: &Flow, delivery: Delivery) {
        let Some(group) = first_group(&flow.nodes[delivery.to.0 as usize].on_done) else { return };
        let event = Event { source: origin(flow, delivery.to), fault: None, status: None, instant: None, count: 0 };
        self.tell_group(flow, group, delivery.to, &delivery.message, delivery.lineage, &event);
    }

    /// Tells the status edge what the node of this delivery shows.
    pub(crate) fn status(&mut self, flow: &Flow, node: NodeIx, lineage: Lineage, status: &Value) {
        self.told.push_back(Told::Status { node, status: status.clone() });
        let Some(group) = first_group(&flow.nodes[node.0 as usize].on_status) else { return };
        let event = Event { source: origin(flow, node), fault: None, status: Some(status), instant: None, count: 0 };
        self.tell_group(flow, group, node, &Value::map::<&str>([]), lineage, &event);
    }

    fn tell_group(
        &mut self,
        flow: &Flow,
        group: &HandlerGroup,
        node: NodeIx,
        message: &Value,
        lineage: Lineage,
        event: &Event<'_>,
    ) {
        for handler in group {
            let mut message = message.clone();
            let fate = assign(&handler.dress, &mut message, &mut self.cells, Some(event), &self.moment);
            let grown = fate.and_then(|fate| Ok((fate, lineage.growth.after(&handler.dress, &message, &self.cells)?)));
            match grown {
                Ok((Fate::On, growth)) => {
                    self.hand_on(flow, Delivery { to: handler.node, message, lineage: Lineage { growth, ..lineage } });
                }
                Ok((Fate::Dropped, _)) => {}
                Err(fault) => self.told.push_back(Told::Uncaught { node, fault }),
            }
        }
    }

    /// Gives a handler its message. One that only passes on does so at once, so that what it leads to stands in line before
    /// what its source sends after the event.
    fn hand_on(&mut self, flow: &Flow, delivery: Delivery) {
        let node = &flow.nodes[delivery.to.0 as usize];
        match (&node.op, node.outputs.first()) {
            (Op::Pass, Some(wires)) if node.on_done.0.is_empty() => {
                self.send_one(wires, delivery.message, delivery.lineage);
            }
            (_, _) => self.push(delivery),
        }
    }
}

fn first_group(handlers: &Handlers) -> Option<&HandlerGroup> {
    handlers.0.iter().find(|group| !group.is_empty())
}

fn origin(flow: &Flow, node: NodeIx) -> &Origin {
    &flow.origins[flow.nodes[node.0 as usize].origin.0 as usize]
}
