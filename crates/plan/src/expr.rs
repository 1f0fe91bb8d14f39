//! Where a value comes from: paths into the message, and the few expressions a dialect may lower to.

use std::sync::Arc;

use crate::cell::Cells;
use crate::effect::Fault;
use crate::value::{Map, Text, Value};

/// A way into a value, parsed by the dialect that knows its spelling. Empty means the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Arc<[Segment]>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The member of that name.
    Key(Text),
    /// The element at that index, counted from 0.
    Index(u32),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Known when the flow was lowered.
    Literal(Value),
    /// Read from the message; what is not there is undefined.
    Message(Path),
    /// A map whose members are evaluated in order; one that is undefined stays, as undefined.
    Map(Vec<(Text, Expr)>),
    /// A list.
    List(Vec<Expr>),
    /// The text of the inner value without the first occurrence of `cut`; undefined unless that is text.
    WithoutFirst {
        /// What is cut out once.
        cut: Text,
        /// The text it is cut from.
        of: Box<Expr>,
    },
    /// The inner value; if it is undefined or null, this fault is raised.
    Require {
        /// What must be there.
        of: Box<Expr>,
        /// Raised when it is not.
        fault: Box<Fault>,
    },
    /// What stands at a path within the inner value; undefined where the way ends early.
    Member {
        /// The value that is looked into.
        of: Box<Expr>,
        /// The way into it.
        path: Path,
    },
    /// The instant of evaluation, in whole milliseconds since the epoch, as a number.
    Now,
    /// A field of the event that a handler is told of.
    Event(EventField),
}

/// What a handler may read of the event that reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventField {
    /// The fault's message.
    Message,
    /// The fault's code, undefined if it has none.
    Code,
    /// The fault's stack text, undefined if it has none.
    Stack,
    /// The fault's cause, undefined if it has none.
    Cause,
    /// What the fault was thrown with ([`Fault::thrown`]), undefined if nothing.
    Thrown,
    /// The status that a script showed.
    Status,
    /// The author's id of the node.
    SourceId,
    /// The author's type of the node.
    SourceType,
    /// The author's name of the node, undefined if it has none.
    SourceName,
    /// How often this node has failed on this message in a row, from 1.
    SourceCount,
}

impl Path {
    /// A path of these member names.
    pub fn keys<const N: usize>(names: [&str; N]) -> Self {
        Self(names.into_iter().map(|name| Segment::Key(name.into())).collect())
    }

    /// Whether this is the value itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands there, handles followed into their cells; undefined where the way ends early.
    pub fn read<'v>(&self, root: &'v Value, cells: &'v Cells) -> &'v Value {
        self.0.iter().fold(root, |at, segment| step(follow(at, cells), segment))
    }

    /// Writes the value there, making maps (or lists, before an index) where nothing stands.
    ///
    /// Returns whether it was written: a way through something that has no members leaves everything as it was.
    pub fn write(&self, root: &mut Value, cells: &mut Cells, value: Value) -> bool {
        write(root, &self.0, cells, value)
    }

    /// Takes out what stands there and returns it; undefined if there was nothing.
    pub fn remove(&self, root: &mut Value, cells: &mut Cells) -> Value {
        match self.0.split_last() {
            None => std::mem::take(root),
            Some((last, way)) => remove(root, way, last, cells),
        }
    }
}

/// The value behind a handle, or the value itself.
fn follow<'v>(value: &'v Value, cells: &'v Cells) -> &'v Value {
    if let Value::Handle(handle) = value { cells.get(*handle) } else { value }
}

fn step<'v>(value: &'v Value, segment: &Segment) -> &'v Value {
    let found = match (value, segment) {
        (Value::Map(map), Segment::Key(name)) => map.get(name),
        (Value::List(list), Segment::Index(index)) => list.get(*index as usize),
        (_, Segment::Key(_) | Segment::Index(_)) => None,
    };
    found.unwrap_or(&Value::Undefined)
}

fn write(at: &mut Value, way: &[Segment], cells: &mut Cells, value: Value) -> bool {
    let Some((first, rest)) = way.split_first() else {
        *at = value;
        return true;
    };
    if let Value::Handle(handle) = at {
        let Some(cell) = cells.get_mut(*handle) else { return false };
        // The cell is taken out while it is written, so that a handle inside it can be followed too.
        let mut taken = std::mem::take(cell);
        let written = write(&mut taken, way, cells, value);
        if let Some(cell) = cells.get_mut(*handle) {
            *cell = taken;
        }
        return written;
    }
    match (at, first) {
        (at @ (Value::Undefined | Value::Null), Segment::Key(name)) => {
            let mut inner = Value::Undefined;
            let written = write(&mut inner, rest, cells, value);
            if written {
                *at = Map::from_iter([(name.clone(), inner)]).into();
            }
            written
        }
        (Value::Map(map), Segment::Key(name)) => {
            let map = Arc::make_mut(map);
            if let Some(member) = map.get_mut(name) {
                return write(member, rest, cells, value);
            }
            let mut inner = Value::Undefined;
            let written = write(&mut inner, rest, cells, value);
            if written {
                map.insert(name.clone(), inner);
            }
            written
        }
        (Value::List(list), Segment::Index(index)) if (*index as usize) < list.len() => {
            write(&mut Arc::make_mut(list)[*index as usize], rest, cells, value)
        }
        (Value::List(list), Segment::Index(index)) if *index as usize == list.len() => {
            let mut inner = Value::Undefined;
            let written = write(&mut inner, rest, cells, value);
            if written {
                Arc::make_mut(list).push(inner);
            }
            written
        }
        (_, Segment::Key(_) | Segment::Index(_)) => false,
    }
}

fn remove(at: &mut Value, way: &[Segment], last: &Segment, cells: &mut Cells) -> Value {
    if let Value::Handle(handle) = at {
        let Some(cell) = cells.get_mut(*handle) else { return Value::Undefined };
        let mut taken = std::mem::take(cell);
        let removed = remove(&mut taken, way, last, cells);
        if let Some(cell) = cells.get_mut(*handle) {
            *cell = taken;
        }
        return removed;
    }
    let segment = way.first().unwrap_or(last);
    if step(at, segment).is_undefined() && !way.is_empty() {
        return Value::Undefined;
    }
    match (at, segment) {
        (Value::Map(map), Segment::Key(name)) if way.is_empty() => {
            if map.get(name).is_none() {
                return Value::Undefined;
            }
            Arc::make_mut(map).remove(name).unwrap_or_default()
        }
        (Value::Map(map), Segment::Key(name)) => match Arc::make_mut(map).get_mut(name) {
            Some(member) => remove(member, &way[1..], last, cells),
            None => Value::Undefined,
        },
        (Value::List(list), Segment::Index(index)) if (*index as usize) < list.len() => {
            let list = Arc::make_mut(list);
            if way.is_empty() {
                list.remove(*index as usize)
            } else {
                remove(&mut list[*index as usize], &way[1..], last, cells)
            }
        }
        (_, Segment::Key(_) | Segment::Index(_)) => Value::Undefined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Handle;

    fn message() -> (Value, Cells) {
        let request = Value::map([("headers", Value::map([("authorization", Value::text("Bearer x"))]))]);
        let message = Value::map([
            ("payload", Value::list(vec![Value::integer(1), Value::integer(2)])),
            ("req", Value::Handle(Handle(0))),
        ]);
        (message, Cells::new(vec![request]))
    }

    #[test]
    fn a_path_reads_through_handles_and_ends_in_undefined() {
        let (message, cells) = message();
        let read = |names: &[&str]| {
            Path(names.iter().map(|n| Segment::Key((*n).into())).collect()).read(&message, &cells).clone()
        };
        assert_eq!(read(&["req", "headers", "authorization"]), Value::text("Bearer x"));
        assert_eq!(read(&["req", "nothing", "deeper"]), Value::Undefined);
        assert_eq!(read(&["payload", "length"]), Value::Undefined);
    }

    #[test]
    fn writing_makes_the_way_and_reaches_the_shared_cell() {
        let (mut message, mut cells) = message();
        assert!(Path::keys(["a", "b"]).write(&mut message, &mut cells, Value::Bool(true)));
        assert!(Path::keys(["req", "user"]).write(&mut message, &mut cells, Value::text("u")));
        assert_eq!(Path::keys(["a", "b"]).read(&message, &cells), &Value::Bool(true));
        assert_eq!(cells.get(Handle(0)).as_map().and_then(|m| m.get("user")), Some(&Value::text("u")));
    }

    #[test]
    fn a_way_through_a_leaf_is_not_written_and_changes_nothing() {
        let (mut message, mut cells) = message();
        let before = message.clone();
        let path = Path([Segment::Key("payload".into()), Segment::Index(0), Segment::Key("x".into())].into());
        assert!(!path.write(&mut message, &mut cells, Value::Null));
        assert_eq!(message, before);
    }

    #[test]
    fn removing_returns_what_stood_there() {
        let (mut message, mut cells) = message();
        let second = Path([Segment::Key("payload".into()), Segment::Index(1)].into());
        assert_eq!(second.remove(&mut message, &mut cells), Value::integer(2));
        assert_eq!(second.remove(&mut message, &mut cells), Value::Undefined);
        let header = Path::keys(["req", "headers", "authorization"]);
        assert_eq!(header.remove(&mut message, &mut cells), Value::text("Bearer x"));
        assert_eq!(header.read(&message, &cells), &Value::Undefined);
    }
}
