//! Where a value comes from: paths into the message, and the few expressions a dialect may lower to.

use std::sync::Arc;

use crate::cell::{Cells, Scope};
use crate::effect::Fault;
use crate::flow::ExpressionIx;
use crate::function::Function;
use crate::pattern::Pattern;
use crate::slot::Slot;
use crate::template::Template;
use crate::value::{Map, Text, Value};

/// The largest step from the end of a list to an element that is written: what lies between is undefined.
const LIST_GAP_MAX: usize = 1_000;

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
    /// The inner value; undefined if that is `null`, `false`, zero, not-a-number or an empty text.
    Truthy(Box<Expr>),
    /// One value or another, by whether a third is undefined.
    Choose {
        /// What is looked at.
        present: Box<Expr>,
        /// The value if that is not undefined.
        then: Box<Expr>,
        /// The value if it is.
        otherwise: Box<Expr>,
    },
    /// What follows the scheme in a text of two parts with one blank between them (RFC 9110 section 11.4); undefined
    /// for other texts and other schemes.
    AfterScheme {
        /// The schemes, letter for letter; one that is no text is never met.
        schemes: Vec<Expr>,
        /// The text.
        of: Box<Expr>,
    },
    /// The text of the inner value before the first occurrence of `cut`, or all of it; undefined unless that is text.
    Before {
        /// What ends the text.
        cut: Text,
        /// The text.
        of: Box<Expr>,
    },
    /// The claims of a compact token that nobody has checked; `null` if the inner value is no such token.
    UncheckedClaims(Box<Expr>),
    /// The instant of evaluation, in whole milliseconds since the epoch, as a number.
    Now,
    /// The instant of evaluation, as a date.
    NowDate,
    /// The instant of evaluation, as ISO 8601 text in UTC.
    NowText,
    /// A new text of 16 hexadecimal digits: another one each time it is evaluated.
    FreshId,
    /// What stands at a place, looked into as ECMAScript does.
    Slot(Slot),
    /// Raises this fault.
    Raise(Box<Fault>),
    /// The value, changed where it equals what is looked for or, both being texts, holds it.
    Replaced {
        /// The value.
        of: Box<Expr>,
        /// What is looked for: a text, number or boolean. A boolean is never found.
        find: Box<Expr>,
        /// Another value that is replaced whole.
        also: Option<Value>,
        /// What takes its place: a whole match becomes this value, a part of a text its text.
        with: Box<Expr>,
    },
    /// The text, every match of the pattern replaced; another value stays as it is.
    Rewritten {
        /// The text.
        of: Box<Expr>,
        /// What is looked for.
        find: Pattern,
        /// Whose text takes its place.
        with: Box<Expr>,
    },
    /// A filled-in template.
    Rendered {
        /// The template.
        template: TemplateSource,
        /// What names stand for that the message does not know, by their first part.
        constants: Value,
        /// The variables that names of the form `prefix.way` stand for, by prefix.
        variables: Vec<(Text, Scope)>,
        /// Whether control characters and backslashes in texts are written as JSON writes them.
        json_texts: bool,
    },
    /// The value as JSON text, or the value of a JSON text.
    Json {
        /// The value.
        of: Box<Expr>,
        /// Which way.
        way: JsonWay,
        /// Blanks for each level of the text; 0 for one line.
        indent: u8,
    },
    /// What a function of the dialect makes of these values.
    Applied {
        /// The function.
        function: Function,
        /// Its arguments.
        to: Vec<Expr>,
    },
    /// What an expression of the flow makes of the inner value. Only ops that can wait may hold one: [`crate::Op::Edit`],
    /// [`crate::Op::Branch`] and [`crate::Op::Log`].
    Evaluated {
        /// Which expression.
        expression: ExpressionIx,
        /// What it is evaluated for.
        input: Box<Expr>,
    },
    /// A field of the event that a handler is told of.
    Event(EventField),
    /// A new UUID of version 4 (RFC 9562 section 5.4) in small letters: another one each time it is evaluated.
    FreshUuid,
}

/// Where a template comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateSource {
    /// It was known when the flow was lowered.
    Ready(Template),
    /// The message brings it; undefined is the empty template.
    Message(Path),
}

/// Which way [`Expr::Json`] goes. Undefined stays undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonWay {
    /// Texts and octets are read, other values written.
    Toggle,
    /// Texts and octets are read, other values stay.
    Read,
    /// Texts stay, other values are written.
    Write,
}

impl Expr {
    /// Every [`Expr::Slot`] in the expression.
    pub fn slots<'e>(&'e self, found: &mut Vec<&'e Slot>) {
        if let Self::Slot(slot) = self {
            found.push(slot);
        }
        self.parts().into_iter().for_each(|part| part.slots(found));
    }

    /// Every [`Expr::Evaluated`] in the expression, inner ones first.
    pub fn evaluated<'e>(&'e self, found: &mut Vec<(ExpressionIx, &'e Self)>) {
        self.parts().into_iter().for_each(|part| part.evaluated(found));
        if let Self::Evaluated { expression, input } = self {
            found.push((*expression, input));
        }
    }

    /// The expressions that it is directly made of.
    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_)
            | Self::Message(_)
            | Self::Now
            | Self::NowDate
            | Self::NowText
            | Self::FreshId
            | Self::FreshUuid
            | Self::Event(_)
            | Self::Raise(_)
            | Self::Slot(_)
            | Self::Rendered { .. } => Vec::new(),
            Self::Map(members) => members.iter().map(|(_, member)| member).collect(),
            Self::List(items) | Self::Applied { to: items, .. } => items.iter().collect(),
            Self::Choose { present, then, otherwise } => vec![present, then, otherwise],
            Self::AfterScheme { schemes, of } => schemes.iter().chain([&**of]).collect(),
            Self::Evaluated { input: of, .. }
            | Self::Truthy(of)
            | Self::UncheckedClaims(of)
            | Self::Before { of, .. }
            | Self::WithoutFirst { of, .. }
            | Self::Require { of, .. }
            | Self::Member { of, .. }
            | Self::Json { of, .. } => vec![of],
            Self::Replaced { of, find, with, .. } => vec![of, find, with],
            Self::Rewritten { of, with, .. } => vec![of, with],
        }
    }
}

/// What a handler may read of the event that reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventField {
    /// The fault's message.
    Message,
    /// The fault's code, undefined if it has none.
    Code,
    /// The name of the fault's kind ([`FaultKind::name`](crate::FaultKind::name)).
    Kind,
    /// The fault's stack text, undefined if it has none.
    Stack,
    /// The fault's cause, undefined if it has none.
    Cause,
    /// What the fault was thrown with ([`Fault::thrown`]), undefined if nothing.
    Thrown,
    /// The instant in a token's `exp` or `nbf` that refused it, undefined if another flaw did.
    Instant,
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
    /// Returns whether it was written: a way through something that has no members leaves everything as it was, and so
    /// does one through `__proto__`, which in ECMAScript leads out of the value.
    pub fn write(&self, root: &mut Value, cells: &mut Cells, value: Value) -> bool {
        let leads_out = |segment: &Segment| matches!(segment, Segment::Key(name) if &**name == "__proto__");
        !self.0.iter().any(leads_out) && write(root, &self.0, cells, value)
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
    if at.is_undefined() {
        let mut made = match first {
            Segment::Key(_) => Map::new().into(),
            Segment::Index(_) => Value::list(Vec::new()),
        };
        let written = write(&mut made, way, cells, value);
        if written {
            *at = made;
        }
        return written;
    }
    match (at, first) {
        (Value::Map(map), segment) => {
            let name = segment.name();
            let map = Arc::make_mut(map);
            if let Some(member) = map.get_mut(&name) {
                return write(member, rest, cells, value);
            }
            let mut inner = Value::Undefined;
            let written = write(&mut inner, rest, cells, value);
            if written {
                map.insert(name, inner);
            }
            written
        }
        (Value::List(list), Segment::Index(index)) => {
            let (index, len) = (*index as usize, list.len());
            if index < len {
                return write(&mut Arc::make_mut(list)[index], rest, cells, value);
            }
            let mut inner = Value::Undefined;
            let written = index - len <= LIST_GAP_MAX && write(&mut inner, rest, cells, value);
            if written {
                let list = Arc::make_mut(list);
                list.resize(index, Value::Undefined);
                list.push(inner);
            }
            written
        }
        (_, Segment::Key(_) | Segment::Index(_)) => false,
    }
}

impl Segment {
    /// The name of the member that the step leads to in a map.
    pub fn name(&self) -> Text {
        match self {
            Self::Key(name) => name.clone(),
            Self::Index(index) => index.to_string().into(),
        }
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
