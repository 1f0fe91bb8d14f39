//! The tree that messages are made of.

use std::sync::Arc;

use foldhash::quality::FixedState;
use indexmap::IndexMap;

/// Text, shared by all copies of the value it stands in.
pub type Text = Arc<str>;

/// One value of a message. Cloning shares every subtree.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value at all: left out of maps when written, `null` in lists.
    #[default]
    Undefined,
    /// The JSON `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(Text),
    /// Octets; JSON shows them as `{"type":"Buffer","data":[..]}`, as ECMAScript hosts do.
    Bytes(Arc<[u8]>),
    /// An instant; JSON shows it as ISO 8601 text in UTC.
    Date(Date),
    /// An ordered list.
    List(Arc<Vec<Value>>),
    /// Members in the order of insertion.
    Map(Arc<Map>),
    /// A cell of the request, shared by all copies of the message.
    Handle(Handle),
    /// Something that a script made and JSON cannot hold.
    Unencodable(Unencodable),
}

/// The values inside a value: see [`Value::parts`].
#[derive(Clone, Copy, Debug)]
pub enum Parts<'v> {
    /// The items of a list.
    List(&'v [Value]),
    /// The members of a map.
    Map(&'v Map),
    /// None: it is a leaf.
    None,
}

/// A number, kept so that what was written comes out again.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// An integer that fits 64 bits.
    Integer(i64),
    /// Any double, not-a-number and the infinities included. Written as ECMAScript writes it.
    Float(f64),
    /// The literal of a JSON number that neither of the others would write back letter for letter.
    Literal(Text),
}

/// An instant in milliseconds since 1970-01-01T00:00:00Z; not-a-number is the invalid date.
#[derive(Clone, Copy, Debug)]
pub struct Date {
    /// Milliseconds since the epoch, whole in valid dates.
    pub epoch_ms: f64,
}

/// Names a cell of the run's request by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub u32);

/// What JSON cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unencodable {
    /// An object that contains itself. Writing it is a fault.
    Circular,
    /// An integer beyond the number type, by its digits. Writing it is a fault.
    BigInt(Text),
    /// Code, or a symbol. Written as if it were undefined.
    Function,
    /// A regular expression. Written as an object without members.
    Pattern(Arc<Regexp>),
}

/// A regular expression as a script writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regexp {
    /// What stands between its slashes.
    pub source: Text,
    /// The letters behind them.
    pub flags: Text,
}

impl From<Regexp> for Value {
    fn from(regexp: Regexp) -> Self {
        Self::Unencodable(Unencodable::Pattern(Arc::new(regexp)))
    }
}

/// Members in the order of insertion. Replacing a member keeps its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(IndexMap<Text, Value, FixedState>);

impl Value {
    /// A text value.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Text::from(text.as_ref()))
    }

    /// An integer value.
    pub fn integer(value: i64) -> Self {
        Self::Number(Number::Integer(value))
    }

    /// A list value.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A map value with these members, in this order; a repeated name keeps its first place and last value.
    pub fn map<K: AsRef<str>>(members: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(Arc::new(members.into_iter().map(|(name, value)| (Text::from(name.as_ref()), value)).collect()))
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// What a walk over the tree goes on with.
    pub fn parts(&self) -> Parts<'_> {
        match self {
            Self::List(items) => Parts::List(items),
            Self::Map(map) => Parts::Map(map),
            Self::Undefined
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::Date(_)
            | Self::Handle(_)
            | Self::Unencodable(_) => Parts::None,
        }
    }

    /// Whether this is a text, a number or a boolean.
    pub fn is_scalar(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Number(_) | Self::Bool(_))
    }

    /// Whether this is [`Value::Undefined`].
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }
}

impl Number {
    /// The nearest double; not-a-number if a literal is none.
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Integer(integer) => *integer as f64,
            Self::Float(float) => *float,
            Self::Literal(text) => text.parse().unwrap_or(f64::NAN),
        }
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }
}

impl PartialEq for Date {
    /// Two invalid dates are equal, so that values compare by what they show.
    fn eq(&self, other: &Self) -> bool {
        self.epoch_ms.to_bits() == other.epoch_ms.to_bits() || self.epoch_ms == other.epoch_ms
    }
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The member of that name, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.get_mut(name)
    }

    /// Sets a member: in its old place if it has one, else last. Returns what stood there.
    pub fn insert(&mut self, name: Text, value: Value) -> Option<Value> {
        self.0.insert(name, value)
    }

    /// Takes a member out, keeping the order of the others.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.0.iter()
    }
}

impl FromIterator<(Text, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_member_keeps_its_place_and_a_removed_one_closes_the_gap() {
        let mut map: Map =
            [("a", 1), ("b", 2), ("c", 3)].map(|(k, v)| (Text::from(k), Value::integer(v))).into_iter().collect();
        map.insert("a".into(), Value::Null);
        map.remove("b");
        let names: Vec<_> = map.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(map.get("a"), Some(&Value::Null));
    }

    #[test]
    fn copies_share_subtrees() {
        let inner = Value::map([("k", Value::text("v"))]);
        let outer = Value::list(vec![inner.clone()]);
        let copy = outer.clone();
        let (Value::List(a), Value::List(b)) = (&outer, &copy) else { panic!("lists") };
        assert!(Arc::ptr_eq(a, b));
    }
}
