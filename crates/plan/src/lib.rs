//! What every dialect lowers to and the engine runs: a graph of ops, and nothing of any vendor.
//!
//! # What a plan means
//!
//! A [`Flow`] is a graph of [`Node`]s. Each node does one [`Op`], and each of its outputs leads over wires to further
//! nodes. A message is a [`Value`], a map as a rule. It enters at a [`Trigger`] and is delivered from node to node:
//!
//! * Deliveries happen one at a time, in the order in which they were sent. Outputs are served in ascending order, the
//!   wires of one output in their order, and each wire gets all messages of its output, in the order given, before the
//!   next wire does.
//! * Every delivery has a message of its own. Values share their subtrees and are changed by writing anew, so a copy
//!   costs a reference count. Handles ([`Value::Handle`]) stay shared by all copies.
//! * An op that needs the world done to **asks** ([`Ask`]) and goes on when the [`Answer`] comes. Many asks may be
//!   open; each holds only the message that it belongs to.
//! * An op that fails raises a [`Fault`]. The node's error edge is an ordered list of handler groups
//!   ([`Handlers`]): the first group that has members takes the fault, each member gets a copy of the message dressed
//!   as its [`Handler`] says. A fault that no group takes is uncaught: it is told, and the message ends there.
//! * What a message leads to inherits how often the last node that failed has done so in a row, whatever becomes of the
//!   message on the way. The tenth fault of one node in a row is dropped and told, so that handlers cannot loop.
//! * [`Op::Call`] sends a message to a node and waits for its return; the open ask for its patience is the entry of the
//!   table of pending calls, and [`Op::Return`] closes it.
//! * When an op is done with a message, the node's done edge hears of it in the same way, and its status edge when a
//!   script shows a status; what a status handler gets starts from an empty map.
//! * [`Op::Reply`] hands an outcome out at once; the run goes on behind it. A run rests when no delivery and no ask is
//!   left. A run that rests without a reply has none, and the dialect that wrote the flow dresses that absence.
//! * A run that goes on and on without ever waiting for anything is ended by [`FaultKind::Endless`], which no handler
//!   takes.
//!
//! A [`Flow`] is only run as a [`ValidFlow`]; [`validate()`] is the one door between the two. Nothing in this crate
//! reads a clock, draws a random octet or opens anything, and no type here is serializable: [`dump()`] writes a plan for
//! people and snapshots, and nothing reads that text back.

mod branch;
mod calendar;
mod cell;
mod diagnostic;
mod dump;
pub mod ecmascript;
mod effect;
mod expr;
mod file;
mod flow;
mod function;
mod hold;
mod json;
mod op;
mod open;
mod password;
mod pattern;
mod seal;
mod slot;
mod template;
mod token;
mod validate;
mod value;

pub use branch::{BranchPlan, Test, ValueType};
pub use calendar::Calendar;
pub use cell::{CellName, Cells, Scope};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use dump::dump;
pub use effect::{
    Answer, Ask, AskId, Fault, FaultKind, FaultText, Fetched, LogLevel, MintRequest, Refusal, ScriptEvent,
    VerifyRequest,
};
pub use expr::{EventField, Expr, JsonWay, Path, Segment, TemplateSource};
pub use file::FilePlan;
pub use flow::{
    ExpressionFunction, ExpressionIx, ExpressionPlan, FetchIx, Flow, Handler, HandlerGroup, Handlers, Node, NodeIx,
    Origin, OriginIx, PolicyIx, ReplyIx, ScriptIx, ScriptPlan, TokenIx, Trigger, TriggerIx, TriggerKind, Wire,
};
pub use function::Function;
pub use hold::{HoldMembers, HoldMode, HoldOrder, HoldPlan, Passage};
pub use json::{JsonRules, Unwritable, read_json, write_json};
pub use op::{Callee, Edit, Op, ShapeStep};
pub use open::{Decryption, Expected, OpenPlan, OpenRequest, Verification};
pub use password::{PasswordAsk, PasswordPlan};
pub use pattern::{Pattern, PatternError};
pub use seal::{
    HeaderForm, KeyForm, KeyFrom, KeyHeld, KidFrom, Known, Layer, Protection, SealLayer, SealPlan, SealRequest, Times,
};
pub use slot::{Root, Slot, Turn, Variable, Way, look};
pub use template::{Piece, SECTION_DEPTH_MAX, TEMPLATE_BYTES_MAX, Template, TemplateError};
pub use token::{
    AbsentClaim, AfterRefusal, ClaimPlan, Clash, ExpiryRules, HeaderMember, KeySource, Lifetime, Refused, SecretRef,
    TokenFlaw, TokenPlan, VerifyPlan,
};
pub use validate::{Flaw, ValidFlow, validate};
pub use value::{Date, Handle, Map, Number, Parts, Regexp, Text, Unencodable, Value};
