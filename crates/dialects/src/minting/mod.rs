//! The places of a document that mint: what their tokens say and where from, who signs, where they go, and what is risky in that.
//!
//! Everything is read from the plan, so one reader serves all dialects. What a dialect adds stands in its `vocabulary.rs`: what
//! a caller sends, and what an answer is made of.

mod answer;
mod delivery;
mod eval;
mod keys;
mod meaning;
mod part;
mod read;
mod symbol;
mod walk;
mod warnings;

pub use answer::{Answer, Body};
pub use delivery::{Delivery, Destination};
pub use keys::{Key, KeyOrigin};
pub use part::{Part, Sent};
pub use symbol::{ClaimType, Members, Symbol};
pub use warnings::Warning;

pub(crate) use meaning::Meaning;
pub(crate) use part::behind;
pub(crate) use walk::behind as behind_output;

use plan::{NodeIx, Op, Origin, Text, TriggerIx, TriggerKind};

use crate::Lowered;
use crate::supertokens::{self, vocabulary};

/// A place that mints.
#[derive(Clone, Debug, PartialEq)]
pub struct Minting {
    /// What in the author's document it is.
    pub at: Origin,
    /// The node of the plan.
    pub node: NodeIx,
    /// The triggers of the plan that lead to it.
    pub triggers: Vec<TriggerIx>,
    /// What sets it off: method and path of requests, or `time`.
    pub callers: Vec<String>,
    /// What it mints; none if only a script knows.
    pub token: Option<Token>,
    /// Where its tokens go.
    pub deliveries: Vec<Delivery>,
    /// What is risky in it.
    pub warnings: Vec<Warning>,
}

/// What a token says, and how it is protected.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The claims in their order.
    pub claims: Vec<Claim>,
    /// The span from `iat` to `exp`.
    pub lifetime: Life,
    /// How it is signed; none if it is only encrypted.
    pub signature: Option<Layer>,
    /// How it is encrypted; none if it is only signed.
    pub encryption: Option<Layer>,
}

/// A claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name; none for claims whose names are not known yet.
    pub name: Option<Text>,
    /// Where its value comes from.
    pub from: ClaimSource,
    /// What happens without a value.
    pub absent: Absent,
}

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimSource {
    /// The instant of minting.
    IssuedAt,
    /// The instant of minting and the lifetime.
    Expires,
    /// This.
    Symbol(Symbol),
}

/// What happens to a claim without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// That cannot be: its value is always there.
    Never,
    /// It is left out.
    LeftOut,
    /// No token is made.
    Refused,
}

/// The span from `iat` to `exp`.
#[derive(Clone, Debug, PartialEq)]
pub enum Life {
    /// Seconds.
    Seconds(i64),
    /// Until this instant, in seconds since 1970.
    Until(i64),
    /// What the message asks for, and seconds if it asks for nothing.
    Asked(Symbol, i64),
    /// Without end.
    Unbounded,
}

/// A layer of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The name of the algorithm; nothing known if the key decides.
    pub algorithm: Symbol,
    /// The name of the content encryption, in an encryption.
    pub content: Option<Symbol>,
    /// The key.
    pub key: Key,
    /// `kid`.
    pub kid: Kid,
    /// `typ`; none without one.
    pub typ: Option<Text>,
    /// Whether a secret may be shorter than its hash.
    pub allows_weak: bool,
}

/// What stands in a header as `kid`.
#[derive(Clone, Debug, PartialEq)]
pub enum Kid {
    /// Nothing.
    Nowhere,
    /// The key's own; nothing if it has none.
    Key,
    /// The key's own, or one made of it.
    Made,
    /// This.
    Named(Symbol),
}

/// Every place of the document that mints, in the order of its plan.
pub fn mintings(lowered: &Lowered) -> Vec<Minting> {
    let flow = lowered.flow();
    let arrived = walk::arrivals(flow, &lowered.sent());
    let served = served(lowered);
    let mut found = Vec::new();
    for (at, (node, arrival)) in flow.nodes.iter().zip(&arrived).enumerate() {
        let Some(arrival) = arrival else { continue };
        let ix = NodeIx(u32::try_from(at).unwrap_or(u32::MAX));
        if !mints(lowered, &node.op) {
            continue;
        }
        let token = token(lowered, &node.op, &arrival.message);
        let triggers: Vec<_> = arrival.triggers.iter().copied().collect();
        let callers = callers(lowered, &served, &triggers);
        let deliveries = delivery::deliveries(lowered, &arrived, ix);
        let at = flow.origins[node.origin.0 as usize].clone();
        let warnings = warnings::of(token.as_ref(), &|symbol| lowered.is_sent(symbol));
        found.push(Minting { at, node: ix, triggers, callers, token, deliveries, warnings });
    }
    warnings::across(&mut found);
    found
}

fn mints(lowered: &Lowered, op: &Op) -> bool {
    let signs = |script: plan::ScriptIx| lowered.signs(&lowered.flow().scripts[script.0 as usize]);
    matches!(op, Op::Issue { .. } | Op::Seal { .. }) || matches!(op, Op::Script(script) if signs(*script))
}

/// What an op mints; none if only a script knows.
pub(crate) fn token(lowered: &Lowered, op: &Op, message: &Symbol) -> Option<Token> {
    if let Op::Issue { token, .. } = op {
        let plan = &lowered.flow().tokens[token.0 as usize];
        return Some(read::issued(plan, message, keys::of_source(&plan.key, lowered)));
    }
    let Op::Seal { plan, .. } = op else { return None };
    Some(read::sealed(plan, message, lowered))
}

/// The one place of a request to mint; none if the octets are no such request.
///
/// # Errors
/// Why the request is refused.
pub fn of_request(octets: &[u8]) -> Option<Result<Minting, String>> {
    vocabulary::is_request(octets).then(|| {
        let (request, row) = vocabulary::read_request(octets)?;
        let ring = vocabulary::ring_name(request.key, row.name);
        let key = Key { from: KeyOrigin::Ring(ring.into()), size: None };
        let token = read::issued(&supertokens::lower(&request, row), &Symbol::NOTHING, key);
        let at = Origin { id: "".into(), kind: vocabulary::OPERATION.into(), name: "".into(), section: "".into() };
        let (to, way, behind) = (Destination::Body, ".jwt".to_owned(), String::new());
        let deliveries = vec![Delivery { by: at.clone(), to, way, behind }];
        let warnings = warnings::of(Some(&token), &|_| false);
        let callers = vec![vocabulary::OPERATION.to_owned()];
        Ok(Minting { at, node: NodeIx(0), triggers: Vec::new(), callers, token: Some(token), deliveries, warnings })
    })
}

/// Method and path of requests, with the trigger that each is given to.
pub(crate) fn served(lowered: &Lowered) -> Vec<(TriggerIx, String)> {
    let shown = |(method, path): (http::Method, String)| format!("{method} {path}");
    match lowered {
        Lowered::NodeRed(lowered) => lowered
            .routes
            .iter()
            .filter_map(|route| Some((route.serve.trigger()?, format!("{} {}", route.method, route.path))))
            .collect(),
        Lowered::ApiConnect(_) | Lowered::Orchestration(_) => {
            lowered.served().into_iter().map(|served| (TriggerIx(0), shown(served))).collect()
        }
    }
}

fn callers(lowered: &Lowered, served: &[(TriggerIx, String)], triggers: &[TriggerIx]) -> Vec<String> {
    let mut callers: Vec<String> = Vec::new();
    for trigger in triggers {
        match lowered.flow().triggers[trigger.0 as usize].kind {
            TriggerKind::Schedule { .. } => callers.push("time".to_owned()),
            TriggerKind::Request => {
                callers.extend(served.iter().filter(|(ix, _)| ix == trigger).map(|(_, shown)| shown.clone()));
            }
        }
    }
    callers.dedup();
    callers
}
