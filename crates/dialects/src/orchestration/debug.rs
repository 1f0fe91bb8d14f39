//! A flow that its author runs, whatever calls it otherwise: the variables that it begins with, and those that it leaves.

use plan::{Map, Text, Value};

use crate::token_form::FRONTEND;

/// What a run has left in the flow store.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Every variable.
    pub variables: Value,
    /// Those that front-end nodes may read.
    pub frontend: Value,
}

/// The message that a debug run begins with: these variables, and what every run knows of its flow. Names that begin with a
/// dot are the flow's own and are left out.
pub fn begin(facts: &[(Text, Value)], run: &str, variables: &Map) -> Value {
    let mut message: Map = named(variables).collect();
    let mut flow = message.get("flow").and_then(Value::as_map).cloned().unwrap_or_default();
    for (name, value) in facts {
        flow.insert(name.clone(), value.clone());
    }
    flow.insert("run_id".into(), Value::text(run));
    message.insert("flow".into(), flow.into());
    message.into()
}

/// What the message that a run was answered with leaves.
pub fn left(message: &Value) -> Left {
    let none = Map::new();
    let all = message.as_map().unwrap_or(&none);
    let readable = all.get(FRONTEND).and_then(Value::as_map).unwrap_or(&none);
    let frontend = named(all).filter(|(name, _)| readable.get(name).is_some());
    Left { variables: named(all).collect::<Map>().into(), frontend: frontend.collect::<Map>().into() }
}

fn named(all: &Map) -> impl Iterator<Item = (Text, Value)> {
    let shown = |name: &str| !name.starts_with('.');
    all.iter().filter(move |(name, _)| shown(name)).map(|(name, value)| (name.clone(), value.clone()))
}
