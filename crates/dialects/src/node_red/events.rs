//! Who hears of a node's errors, completion and status: the scopes of catch, complete and status nodes (section 10).

use std::collections::HashMap;
use std::sync::Arc;

use plan::{EventField, Expr, Handler, HandlerGroup, Handlers, NodeIx, Path, ShapeStep, Text, Value};

use super::lower::Handling;
use super::syntax::Node;
use jose::json::Value as Json;

/// What a node may listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Errors.
    Error,
    /// That a node is done with a message.
    Done,
    /// Statuses.
    Status,
}

/// A node that listens.
pub(super) struct Listener {
    event: Event,
    place: NodeIx,
    section: Text,
    group: Text,
    scope: Scope,
    uncaught: bool,
}

/// Whom a listener hears.
enum Scope {
    /// Every node of its tab.
    Section,
    /// Every node of its group, and of groups within it.
    Group,
    /// These nodes.
    Nodes(Vec<Text>),
}

/// The listeners of a document.
pub(super) struct Events {
    by_section: HashMap<Text, Vec<Listener>>,
    outer_groups: HashMap<Text, Text>,
    instances: HashMap<Text, Node>,
    usual: Dresses,
    /// For nodes that show their name even where it is blank.
    blank: Dresses,
}

/// How messages are dressed for those that hear of a node.
struct Dresses {
    error: Arc<[ShapeStep]>,
    done: Arc<[ShapeStep]>,
    status: Arc<[ShapeStep]>,
}

/// Node types that keep a name of their own, blank or not; others have none where it is blank.
const KEEP_BLANK_NAMES: [&str; 5] = ["debug", "function", "jwt sign", "jwt verify", "template"];

impl Listener {
    /// The listener that a node is; nodes it is wired to directly are left out of the lists of complete and status
    /// nodes, so that they do not set themselves off.
    pub(super) fn of(node: &Node, event: Event, place: NodeIx) -> Self {
        let wired = |id: &Text| event != Event::Error && node.wires.iter().flatten().any(|wire| wire == id);
        let scope = match node.get("scope") {
            Some(Json::Array(ids)) => {
                let ids = ids.iter().filter_map(Json::as_text).map(Text::from);
                Scope::Nodes(ids.filter(|id| !wired(id)).collect())
            }
            Some(Json::Text(group)) if group == "group" => Scope::Group,
            Some(_) | None if event == Event::Done => Scope::Nodes(Vec::new()),
            Some(_) | None => Scope::Section,
        };
        let (section, group) = (node.section.clone(), node.group.clone());
        Self { event, place, section, group, scope, uncaught: node.flag("uncaught") }
    }

    /// Catch nodes with a scope come first, those for uncaught errors last; others keep the order of the document.
    fn rank(&self) -> u8 {
        match (self.event, &self.scope, self.uncaught) {
            (Event::Done | Event::Status, _, _) | (Event::Error, Scope::Group | Scope::Nodes(_), _) => 0,
            (Event::Error, Scope::Section, false) => 1,
            (Event::Error, Scope::Section, true) => 2,
        }
    }
}

impl Events {
    /// These listeners; `outer_groups` says which group each group stands in, `instances` which sections are instances
    /// of subflows.
    pub(super) fn new(
        listeners: Vec<Listener>,
        outer_groups: HashMap<Text, Text>,
        instances: HashMap<Text, Node>,
    ) -> Self {
        let mut by_section: HashMap<Text, Vec<Listener>> = HashMap::new();
        for listener in listeners {
            by_section.entry(listener.section.clone()).or_default().push(listener);
        }
        for listeners in by_section.values_mut() {
            listeners.sort_by_key(Listener::rank);
        }
        Self {
            by_section,
            outer_groups,
            instances,
            usual: Dresses::with_name(&Expr::Event(EventField::SourceName)),
            blank: Dresses::with_name(&Expr::Literal(Value::text(""))),
        }
    }

    /// Who hears of this node. Errors and statuses that nobody within an instance of a subflow takes are the instance's.
    pub(super) fn of(&self, node: &Node) -> Handling {
        let is_blank = KEEP_BLANK_NAMES.contains(&&*node.kind) && node.get("name").and_then(Json::as_text) == Some("");
        let dresses = if is_blank { &self.blank } else { &self.usual };
        let around = || std::iter::successors(Some(node), |at| self.instances.get(&at.section));
        Handling {
            on_error: handlers(around().map(|at| group(takers(self.heard(at, Event::Error)), &dresses.error))),
            on_done: handlers(std::iter::once(group(self.heard(node, Event::Done), &dresses.done))),
            on_status: handlers(around().map(|at| group(self.heard(at, Event::Status), &dresses.status))),
        }
    }

    /// The listeners in the node's own section that hear it, the nearest first.
    fn heard(&self, node: &Node, event: Event) -> impl Iterator<Item = &Listener> {
        let listeners = self.by_section.get(&node.section).map_or([].as_slice(), Vec::as_slice);
        let own = listeners.iter().filter(|listener| listener.event == event);
        let mut near: Vec<_> = own.filter_map(|own| Some((self.distance(own, node)?, own))).collect();
        near.sort_by_key(|(distance, _)| *distance);
        near.into_iter().map(|(_, listener)| listener)
    }

    /// How many groups lie between a node and a listener that hears it; none if it does not hear it.
    fn distance(&self, listener: &Listener, node: &Node) -> Option<usize> {
        let for_group = matches!(listener.scope, Scope::Group) && !listener.group.is_empty();
        if let Scope::Nodes(ids) = &listener.scope
            && !ids.contains(&node.id)
        {
            return None;
        }
        let mut distance = 0;
        let mut group = self.outer_groups.get_key_value(&node.group);
        while let Some((_, outer)) = group.filter(|(id, _)| **id != listener.group) {
            distance += 1;
            group = self.outer_groups.get_key_value(outer).filter(|_| distance <= self.outer_groups.len());
        }
        if for_group && group.is_none() { None } else { Some(distance) }
    }
}

/// Of the catch nodes in their order, those that take an error: one for uncaught errors only if no other took it before.
fn takers<'l>(candidates: impl Iterator<Item = &'l Listener>) -> impl Iterator<Item = &'l Listener> {
    let (mut taken, mut taken_as_uncaught) = (false, false);
    candidates.filter(move |listener| {
        let refuses = listener.uncaught && !taken_as_uncaught && taken;
        taken_as_uncaught |= listener.uncaught && !refuses;
        taken |= !refuses;
        !refuses
    })
}

fn group<'l>(listeners: impl Iterator<Item = &'l Listener>, dress: &Arc<[ShapeStep]>) -> HandlerGroup {
    listeners.map(|listener| Handler { node: listener.place, dress: dress.clone() }).collect()
}

fn handlers(groups: impl Iterator<Item = HandlerGroup>) -> Handlers {
    Handlers(groups.filter(|group| !group.is_empty()).collect())
}

impl Dresses {
    /// The dresses of a node whose name is that.
    fn with_name(name: &Expr) -> Self {
        Self { error: dress_error(name), done: dress_done(name), status: dress_status(name) }
    }
}

/// `error {message, source, code?, stack?, cause?}`; what stood there moves to `_error`.
fn dress_error(name: &Expr) -> Arc<[ShapeStep]> {
    let count = ("count", Expr::Event(EventField::SourceCount));
    let error =
        map([("message", Expr::Event(EventField::Message)), ("source", map(source(name).into_iter().chain([count])))]);
    let present = |name, field| ShapeStep::SetPresent(Path::keys(["error", name]), Expr::Event(field));
    let [request, reply] = handles_last();
    [
        request,
        reply,
        ShapeStep::SetPresent(Path::keys(["_error"]), Expr::Message(Path::keys(["error"]))),
        ShapeStep::SetPresent(Path::keys(["_error"]), Expr::Event(EventField::Thrown)),
        ShapeStep::Set(Path::keys(["error"]), error),
        present("code", EventField::Code),
        present("stack", EventField::Stack),
        present("cause", EventField::Cause),
    ]
    .into()
}

/// `complete {source}`.
fn dress_done(name: &Expr) -> Arc<[ShapeStep]> {
    let complete = map([("source", map(source(name)))]);
    let [request, reply] = handles_last();
    [request, reply, ShapeStep::Set(Path::keys(["complete"]), complete)].into()
}

/// A new message with the status and its source.
fn dress_status(name: &Expr) -> Arc<[ShapeStep]> {
    [
        ShapeStep::Replace(Value::map::<&str>([])),
        ShapeStep::Set(Path::keys(["status"]), Expr::Event(EventField::Status)),
        ShapeStep::Set(Path::keys(["status", "source"]), map(source(name))),
        ShapeStep::Set(Path::keys(["_msgid"]), Expr::FreshId),
    ]
    .into()
}

/// A clone holds `req` and `res` behind its other members: they are taken out before and put back afterwards.
fn handles_last() -> [ShapeStep; 2] {
    ["req", "res"].map(|name| ShapeStep::Move(Path::keys([name]), Path::keys([name])))
}

fn source(name: &Expr) -> [(&'static str, Expr); 3] {
    [("id", Expr::Event(EventField::SourceId)), ("type", Expr::Event(EventField::SourceType)), ("name", name.clone())]
}

fn map(members: impl IntoIterator<Item = (&'static str, Expr)>) -> Expr {
    Expr::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
