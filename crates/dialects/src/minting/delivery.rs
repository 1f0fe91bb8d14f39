//! Where tokens go: into answers, into requests to somebody outside, into the log.

use plan::{NodeIx, Op, Origin, ReplyIx, Value};

use super::symbol::Symbol;
use super::walk::Arrival;
use crate::Lowered;

/// A place that a token gets to.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What in the author's document brings it there.
    pub by: Origin,
    /// Where that is.
    pub to: Destination,
    /// The way to the token there, by names and indices; empty if the token is all that there is.
    pub way: String,
    /// The text that stands before it.
    pub behind: String,
}

/// What a token becomes a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The body of an answer.
    Body,
    /// A header of an answer.
    Header,
    /// A cookie of an answer.
    Cookie,
    /// A request to somebody outside.
    Request,
    /// The log.
    Log,
}

impl Destination {
    /// Its name for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Request => "request",
            Self::Log => "log",
        }
    }
}

/// Every place that the tokens of a node get to.
pub(super) fn deliveries(lowered: &Lowered, arrived: &[Option<Arrival>], token: NodeIx) -> Vec<Delivery> {
    let flow = lowered.flow();
    let mut found: Vec<Delivery> = Vec::new();
    for (node, arrival) in flow.nodes.iter().zip(arrived) {
        let Some(arrival) = arrival else { continue };
        for (to, symbol) in taken(lowered, &node.op, &arrival.message) {
            for (way, behind) in places(&symbol, token) {
                let by = flow.origins[node.origin.0 as usize].clone();
                let delivery = Delivery { by, to, way, behind };
                found.extend((!found.contains(&delivery)).then_some(delivery));
            }
        }
    }
    found
}

/// What an op hands out of a message.
fn taken(lowered: &Lowered, op: &Op, message: &Symbol) -> Vec<(Destination, Symbol)> {
    if let Op::Reply(reply) = op {
        answered(lowered, *reply, message)
    } else if let Op::Fetch { .. } = op {
        vec![(Destination::Request, message.clone())]
    } else if let Op::Log { value, .. } = op {
        vec![(Destination::Log, super::eval::eval(value, message))]
    } else {
        Vec::new()
    }
}

fn answered(lowered: &Lowered, reply: ReplyIx, message: &Symbol) -> Vec<(Destination, Symbol)> {
    let answer = lowered.answer(reply, message);
    let body = answer.body.symbol().clone();
    vec![(Destination::Body, body), (Destination::Header, answer.headers), (Destination::Cookie, answer.cookies)]
}

/// The ways to the token within a value, each with the text before it.
fn places(symbol: &Symbol, token: NodeIx) -> Vec<(String, String)> {
    let below = |name: &str, part: &Symbol| {
        let inner = places(part, token).into_iter();
        inner.map(|(way, behind)| (format!("{name}{way}"), behind)).collect::<Vec<_>>()
    };
    match symbol {
        Symbol::Token(node, prefix) if *node == token => vec![(String::new(), prefix.to_string())],
        Symbol::Map(members) => members.own().flat_map(|(name, part)| below(&format!(".{name}"), part)).collect(),
        Symbol::List(items) => {
            items.iter().enumerate().flat_map(|(index, part)| below(&format!("[{index}]"), part)).collect()
        }
        Symbol::Joined(parts) => joined(parts, token),
        Symbol::Any(parts) | Symbol::Made(_, parts) => parts.iter().flat_map(|part| below("", part)).collect(),
        Symbol::Typed(_, inner) | Symbol::Required(inner) => places(inner, token),
        Symbol::Known(_) | Symbol::Sent(_) | Symbol::Now | Symbol::Fresh | Symbol::Token(..) => Vec::new(),
    }
}

/// The same in texts behind each other, as far as the text before the token is known.
fn joined(parts: &[Symbol], token: NodeIx) -> Vec<(String, String)> {
    let mut before = String::new();
    let mut found = Vec::new();
    for part in parts {
        found.extend(places(part, token).into_iter().map(|(way, behind)| (way, format!("{before}{behind}"))));
        if let Symbol::Known(Value::Text(text)) = part {
            before.push_str(text);
        } else {
            before.push('…');
        }
    }
    found
}
