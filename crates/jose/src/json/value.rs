//! A small tree for JSON: members in the order of the text, numbers as their text, nothing repeated.

use zeroize::Zeroize;

use super::{Event, JsonError, JsonErrorKind, Limits, Reader};

/// Deepest tree that is ever built, whatever the limits say: trees are dropped and written recursively.
pub const TREE_DEPTH_MAX: usize = 512;

/// Objects up to this many members are searched for repeated names pair by pair, larger ones by sorting.
const PAIRWISE_MEMBERS_MAX: usize = 16;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written: `1e3` and `1000` differ.
    Number(String),
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// Reads a JSON text into a tree.
    ///
    /// # Errors
    /// What [`Reader`] refuses, and [`JsonErrorKind::Duplicate`] at the second member of one name.
    pub fn parse(input: &[u8], limits: Limits) -> Result<Self, JsonError> {
        let limits = Limits { depth: limits.depth.min(TREE_DEPTH_MAX), ..limits };
        let mut reader = Reader::new(input, limits)?;
        let value = Self::read(&mut reader)?;
        reader.next_event()?;
        Ok(value)
    }

    /// Reads the value that begins with the next event of `reader`, whose depth limit must not exceed
    /// [`TREE_DEPTH_MAX`].
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, JsonError> {
        let mut open: Vec<Builder> = Vec::new();
        loop {
            let event = reader.next_event()?.expect("a reader ends only after the value is complete");
            let complete = match event {
                Event::Null => Self::Null,
                Event::Bool(value) => Self::Bool(value),
                Event::Number(text) => Self::Number(text.to_owned()),
                Event::Text(text) => Self::Text(text.into_owned()),
                Event::ArrayStart => {
                    open.push(Builder::Array(Vec::new()));
                    continue;
                }
                Event::ObjectStart => {
                    open.push(Builder::Object(ObjectBuilder::default()));
                    continue;
                }
                Event::Name(name) => {
                    if let Some(Builder::Object(object)) = open.last_mut() {
                        object.names.push((name.into_owned(), reader.offset()));
                    }
                    continue;
                }
                Event::ArrayEnd | Event::ObjectEnd => {
                    open.pop().expect("the reader closes only what it opened").finish()?
                }
            };
            match open.last_mut() {
                None => return Ok(complete),
                Some(Builder::Array(elements)) => elements.push(complete),
                Some(Builder::Object(object)) => object.values.push(complete),
            }
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The object, if this is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The truth value, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The text of the number, if this is one.
    #[must_use]
    pub fn as_number(&self) -> Option<&str> {
        if let Self::Number(text) = self { Some(text) } else { None }
    }
}

/// For trees that held a key. Texts that had escapes may have left copies while they grew.
impl Zeroize for Value {
    fn zeroize(&mut self) {
        match self {
            Self::Null | Self::Bool(_) => {}
            Self::Number(text) | Self::Text(text) => text.zeroize(),
            Self::Array(elements) => elements.iter_mut().for_each(Zeroize::zeroize),
            Self::Object(object) => object.members.iter_mut().for_each(|(_, member)| member.zeroize()),
        }
    }
}

enum Builder {
    Array(Vec<Value>),
    Object(ObjectBuilder),
}

impl Builder {
    fn finish(self) -> Result<Value, JsonError> {
        match self {
            Self::Array(elements) => Ok(Value::Array(elements)),
            Self::Object(object) => object.finish().map(Value::Object),
        }
    }
}

#[derive(Default)]
struct ObjectBuilder {
    names: Vec<(String, usize)>,
    values: Vec<Value>,
}

impl ObjectBuilder {
    fn finish(self) -> Result<Object, JsonError> {
        if let Some(offset) = repeated(&self.names) {
            return Err(JsonError { kind: JsonErrorKind::Duplicate, offset });
        }
        let names = self.names.into_iter().map(|(name, _)| name);
        Ok(Object { members: names.zip(self.values).collect() })
    }
}

/// Where the first repetition of a name stands.
fn repeated(names: &[(String, usize)]) -> Option<usize> {
    if names.len() <= PAIRWISE_MEMBERS_MAX {
        let seen = |(index, (name, _)): &(usize, &(String, usize))| names[..*index].iter().any(|(n, _)| n == name);
        return names.iter().enumerate().find(seen).map(|(_, (_, offset))| *offset);
    }
    let mut sorted: Vec<&(String, usize)> = names.iter().collect();
    sorted.sort();
    sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1).min()
}

/// The members of an object, in order, no name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Object {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the member `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Puts a member in: at the end, or in the place of the member of that name, whose value is handed back.
    pub fn insert(&mut self, name: String, value: Value) -> Option<Value> {
        match self.members.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.members.push((name, value));
                None
            }
        }
    }

    /// Takes a member out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.members.iter().position(|(n, _)| n == name)?;
        Some(self.members.remove(index).1)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}
