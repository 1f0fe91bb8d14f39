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
    dress_error: Arc<[ShapeStep]>,
    dress_done: Arc<[ShapeStep]>,
    dress_status: Arc<[ShapeStep]>,
}

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
    /// These listeners; `outer_groups` says which group each group stands in.
    pub(super) fn new(listeners: Vec<Listener>, outer_groups: HashMap<Text, Text>) -> Self {
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
            dress_error: dress_error(),
            dress_done: dress_done(),
            dress_status: dress_status(),
        }
    }

    /// Who hears of this node.
    pub(super) fn of(&self, node: &Node) -> Handling {
        let Some(listeners) = self.by_section.get(&node.section) else { return Handling::default() };
        let heard = |event| {
            let own = listeners.iter().filter(move |listener| listener.event == event);
            let mut near: Vec<_> = own.filter_map(|own| Some((self.distance(own, node)?, own))).collect();
            near.sort_by_key(|(distance, _)| *distance);
            near.into_iter().map(|(_, listener)| listener)
        };
        Handling {
            on_error: handlers(takers(heard(Event::Error)), &self.dress_error),
            on_done: handlers(heard(Event::Done), &self.dress_done),
            on_status: handlers(heard(Event::Status), &self.dress_status),
        }
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

fn handlers<'l>(listeners: impl Iterator<Item = &'l Listener>, dress: &Arc<[ShapeStep]>) -> Handlers {
    let group: HandlerGroup =
        listeners.map(|listener| Handler { node: listener.place, dress: dress.clone() }).collect();
    if group.is_empty() { Handlers::default() } else { Handlers([group].into()) }
}

/// `error {message, source, code?, stack?, cause?}`; what stood there moves to `_error`.
fn dress_error() -> Arc<[ShapeStep]> {
    let error = map([("message", Expr::Event(EventField::Message)), ("source", source(Some(EventField::SourceCount)))]);
    let present = |name, field| ShapeStep::SetPresent(Path::keys(["error", name]), Expr::Event(field));
    [
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
fn dress_done() -> Arc<[ShapeStep]> {
    [ShapeStep::Set(Path::keys(["complete"]), map([("source", source(None))]))].into()
}

/// A new message with the status and its source.
fn dress_status() -> Arc<[ShapeStep]> {
    [
        ShapeStep::Replace(Value::map::<&str>([])),
        ShapeStep::Set(Path::keys(["status"]), Expr::Event(EventField::Status)),
        ShapeStep::Set(Path::keys(["status", "source"]), source(None)),
    ]
    .into()
}

fn source(count: Option<EventField>) -> Expr {
    let mut members = vec![
        ("id".into(), Expr::Event(EventField::SourceId)),
        ("type".into(), Expr::Event(EventField::SourceType)),
        ("name".into(), Expr::Event(EventField::SourceName)),
    ];
    members.extend(count.map(|count| ("count".into(), Expr::Event(count))));
    Expr::Map(members)
}

fn map<const N: usize>(members: [(&str, Expr); N]) -> Expr {
    Expr::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
