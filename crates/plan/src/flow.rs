//! The graph: nodes, wires, triggers, and the event edges beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::cell::Scope;
use crate::effect::{FaultKind, FaultText};
use crate::op::{Op, ShapeStep};
use crate::token::{SecretRef, TokenPlan, VerifyPlan};
use crate::value::{Text, Value};

macro_rules! index {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
    )*};
}

index! {
    /// Names a node of a flow, by its place in [`Flow::nodes`].
    NodeIx
    /// Names an origin, by its place in [`Flow::origins`].
    OriginIx
    /// Names a trigger, by its place in [`Flow::triggers`].
    TriggerIx
    /// Names a token plan, by its place in [`Flow::tokens`].
    TokenIx
    /// Names a policy, by its place in [`Flow::policies`].
    PolicyIx
    /// Names a script, by its place in [`Flow::scripts`].
    ScriptIx
    /// Names a request to somebody outside in the dialect's own table; [`Flow::fetches`] says how many it has.
    FetchIx
    /// Names an expression, by its place in [`Flow::expressions`].
    ExpressionIx
    /// Names a reply in the table that the dialect keeps beside the flow; [`Flow::replies`] says how many there are.
    ReplyIx
}

/// What a document was lowered to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// The document's name.
    pub document: Text,
    /// Where each node comes from in the author's document.
    pub origins: Vec<Origin>,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Where messages enter.
    pub triggers: Vec<Trigger>,
    /// What the tokens of the flow shall hold.
    pub tokens: Vec<TokenPlan>,
    /// What is asked of the tokens that the flow checks.
    pub policies: Vec<VerifyPlan>,
    /// The scripts.
    pub scripts: Vec<ScriptPlan>,
    /// The expressions.
    pub expressions: Vec<ExpressionPlan>,
    /// How many replies the dialect's own table has.
    pub replies: u32,
    /// How many requests to somebody outside the dialect's own table has.
    pub fetches: u32,
    /// The secrets that the flow cannot do without.
    pub secrets: Vec<SecretRef>,
    /// How the dialect names the faults that the engine raises.
    pub faults: BTreeMap<FaultKind, FaultText>,
}

/// Something in the author's document, by the author's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id.
    pub id: Text,
    /// Its type.
    pub kind: Text,
    /// Its name; empty if it has none.
    pub name: Text,
    /// The id of the section it stands in; empty if it stands in none.
    pub section: Text,
}

/// One op in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// Where it comes from.
    pub origin: OriginIx,
    /// Its outputs, each a list of wires in order.
    pub outputs: Vec<Vec<Wire>>,
    /// Who hears of its faults.
    pub on_error: Handlers,
    /// Who hears that it is done with a message.
    pub on_done: Handlers,
    /// Who hears of its status.
    pub on_status: Handlers,
}

/// Leads a message to a node.
pub type Wire = NodeIx;

/// Handler groups in order: the first that has members takes the event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handlers(pub Arc<[HandlerGroup]>);

/// Handlers that hear of the same events; each gets a copy.
pub type HandlerGroup = Vec<Handler>;

/// One listener to events.
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    /// The node that is told.
    pub node: NodeIx,
    /// How the message is dressed before it gets there.
    pub dress: Arc<[ShapeStep]>,
}

/// Where messages enter.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// What in the author's document it is.
    pub origin: OriginIx,
    /// What sets it off.
    pub kind: TriggerKind,
    /// The wires a message goes over.
    pub wires: Vec<Wire>,
}

/// What sets a trigger off.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerKind {
    /// A request that the dialect's own table routes here.
    Request,
    /// Time: the message is built by these steps from an empty map.
    Schedule {
        /// The steps that build the message.
        message: Vec<ShapeStep>,
        /// Milliseconds from deploy to the first message; none if there is no first one by itself.
        first_ms: Option<u64>,
        /// Milliseconds from one message to the next; none if it does not repeat.
        every_ms: Option<u64>,
        /// The points in time at which messages are built from then on; none if it has no such schedule.
        calendar: Option<Calendar>,
    },
}

/// An expression in JSONata 2, evaluated away from the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpressionPlan {
    /// What in the author's document it is.
    pub origin: OriginIx,
    /// Definitions that the author's text may use, each ended by `;`; empty if there are none.
    pub prelude: Text,
    /// The author's text.
    pub source: Text,
    /// Functions beyond the language's own, by name.
    pub functions: Arc<[(Text, ExpressionFunction)]>,
    /// Time of one evaluation in milliseconds.
    pub cpu_ms: u32,
    /// How its faults begin.
    pub complaint: Text,
    /// The code of its faults; none for the one that the flow has for their kind.
    pub code: Option<Text>,
}

/// What a function of an [`ExpressionPlan`] gives for its first argument.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionFunction {
    /// What stands among these variables at the place that the argument names, in the dialect's spelling.
    Variable(Scope),
    /// The member of that name, or an empty text.
    Constant(Value),
    /// The argument itself.
    Same,
    /// Nothing but this text, which says why.
    Refused(Text),
}

/// A script and what it may use up.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptPlan {
    /// What in the author's document it is.
    pub origin: OriginIx,
    /// The dialect's own surface, evaluated before the source, shared by all scripts of that dialect.
    pub surface: Arc<str>,
    /// The part of the surface that reads the author's sources and stops there: enough to say whether they are programs.
    pub reader: Arc<str>,
    /// The author's source.
    pub source: Text,
    /// Run before the first message; empty if there is none.
    pub initialize: Text,
    /// Run when the flow is taken away; empty if there is none.
    pub finalize: Text,
    /// What the surface is told about the node, as JSON text.
    pub facts: Text,
    /// How many outputs the node has.
    pub outputs: u32,
    /// Processor time of one turn in milliseconds.
    pub cpu_ms: u32,
    /// Whether it touches state that others of its document touch too, so that their turns must run one at a time.
    pub shares: bool,
}
