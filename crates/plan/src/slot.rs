//! Where an op reads and writes: in the message or in a cell that outlives the run, by a way that the message may decide.

use std::sync::Arc;

use crate::cell::{Cells, Scope};
use crate::ecmascript::{property, text_of};
use crate::expr::{Path, Segment};
use crate::value::{Number, Value};

/// A place for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where the way begins.
    pub root: Root,
    /// The way from there.
    pub way: Way,
}

/// Where a way begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// At the message.
    Message,
    /// At the variables of that scope.
    Cell(Scope),
}

/// A path of which some steps are read from the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way(pub Arc<[Turn]>);

/// One step of a [`Way`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This step.
    To(Segment),
    /// The member or element that the message names at this way.
    By(Way),
}

/// A place among the variables that outlive the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Who shares it.
    pub scope: Scope,
    /// The way to it, from the map of all variables of that scope.
    pub path: Path,
}

impl Slot {
    /// The place in the message at the end of this path.
    pub fn message(path: Path) -> Self {
        Self { root: Root::Message, way: path.into() }
    }
}

impl From<Path> for Way {
    fn from(path: Path) -> Self {
        Self(path.0.iter().cloned().map(Turn::To).collect())
    }
}

impl Way {
    /// The path for this message; none if a step that the message decides is undefined there.
    pub fn resolve(&self, message: &Value, cells: &Cells) -> Option<Path> {
        let segments = self.0.iter().map(|turn| match turn {
            Turn::To(segment) => Some(segment.clone()),
            Turn::By(way) => segment_of(&look(message, &way.resolve(message, cells)?, cells)),
        });
        segments.collect::<Option<Vec<_>>>().map(|segments| Path(segments.into()))
    }
}

/// What stands at the end of the path, as ECMAScript looks into values ([`property`]).
pub fn look(root: &Value, path: &Path, cells: &Cells) -> Value {
    let mut found: Option<Value> = None;
    for segment in path.0.iter() {
        found = Some(property(found.as_ref().unwrap_or(root), segment, cells));
    }
    found.unwrap_or_else(|| root.clone())
}

fn segment_of(value: &Value) -> Option<Segment> {
    if matches!(value, Value::Undefined | Value::Null) {
        return None;
    }
    let index = if let Value::Number(Number::Integer(index)) = value { u32::try_from(*index).ok() } else { None };
    Some(index.map_or_else(|| Segment::Key(text_of(value).into()), Segment::Index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_decides_steps_of_a_way() {
        let way = Way([Turn::To(Segment::Key("a".into())), Turn::By(Path::keys(["k"]).into())].into());
        let resolve = |k: Value| way.resolve(&Value::map([("k", k)]), &Cells::default());
        assert_eq!(resolve(Value::text("x")), Some(Path::keys(["a", "x"])));
        assert_eq!(resolve(Value::integer(2)), Some(Path([Segment::Key("a".into()), Segment::Index(2)].into())));
        assert_eq!(resolve(Value::Undefined), None);
    }
}
