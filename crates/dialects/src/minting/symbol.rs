//! Values as far as they are known before any message comes: constants, what a caller sends, times, tokens, and what is made of these.

use std::sync::Arc;

use plan::{Map, NodeIx, Path, Segment, Text, Value};

/// The most parts that a symbol is made of; one that would have more is [`Symbol::Made`] of nothing that is named.
const PARTS_MAX: usize = 256;
/// The most values between which a symbol leaves it open.
const CHOICES_MAX: usize = 8;

/// A value as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Symbol {
    /// This value.
    Known(Value),
    /// What stands at this path of the message that a trigger makes.
    Sent(Path),
    /// A map.
    Map(Arc<Members>),
    /// A list.
    List(Arc<[Symbol]>),
    /// The instant at which it is evaluated.
    Now,
    /// A new random text each time.
    Fresh,
    /// The token that this node makes, behind this beginning of a text.
    Token(NodeIx, Text),
    /// The texts of these values, one behind the other.
    Joined(Arc<[Symbol]>),
    /// The value, converted to this type or refused.
    Typed(ClaimType, Arc<Symbol>),
    /// The value; a fault if there is none.
    Required(Arc<Symbol>),
    /// What something makes of these values; the text says what.
    Made(Text, Arc<[Symbol]>),
    /// One of these values.
    Any(Arc<[Symbol]>),
}

/// The types that the value of a claim is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list.
    List,
    /// A map.
    Map,
}

/// The members of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members {
    /// Where all other members come from; none if there are no others.
    base: Option<Symbol>,
    own: Vec<(Text, Symbol)>,
}

impl Symbol {
    /// Nothing.
    pub(super) const NOTHING: Self = Self::Known(Value::Undefined);

    /// A map of these members, each of which comes with the message.
    pub(crate) fn sent<const N: usize>(names: [&str; N]) -> Self {
        Self::map(names.map(|name| (Text::from(name), Self::Sent(Path::keys([name])))))
    }

    /// A value of which only this is known.
    pub(super) fn made(by: impl AsRef<str>, of: Vec<Self>) -> Self {
        Self::Made(by.as_ref().into(), of.into()).bounded()
    }

    /// A map of these members and no others.
    pub(super) fn map(members: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::Map(Arc::new(Members { base: None, own: members.into_iter().collect() })).bounded()
    }

    /// A list.
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(items.into()).bounded()
    }

    /// The texts of these values behind each other.
    pub(super) fn joined(parts: Vec<Self>) -> Self {
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (Some(Self::Known(Value::Text(before))), Self::Known(Value::Text(text))) => {
                    *before = format!("{before}{text}").into();
                }
                (_, Self::Joined(inner)) => joined.extend(inner.iter().cloned()),
                (_, Self::Typed(ClaimType::Text, inner)) => joined.push(Self::clone(&inner)),
                (_, part) => joined.push(part),
            }
        }
        match joined.as_slice() {
            [token @ Self::Token(..)] => token.clone(),
            [text @ Self::Known(Value::Text(_))] => text.clone(),
            _ => Self::Joined(joined.into()).bounded(),
        }
    }

    /// One of these values.
    pub(super) fn any(choices: Vec<Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        for choice in choices {
            let inner = if let Self::Any(inner) = &choice { inner.to_vec() } else { vec![choice] };
            inner.into_iter().for_each(|one| all.extend((!all.contains(&one)).then_some(one)));
        }
        match all.len() {
            0 => Self::NOTHING,
            1 => all.swap_remove(0),
            2..=CHOICES_MAX => Self::Any(all.into()).bounded(),
            _ => Self::made("one of many values", Vec::new()),
        }
    }

    /// Whether there certainly is no value.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Known(Value::Undefined))
    }

    /// The value, if all of it is known.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Known(value) => Some(value.clone()),
            Self::List(items) => items.iter().map(Self::value).collect::<Option<Vec<_>>>().map(Value::list),
            Self::Map(members) if members.base.is_none() => {
                let known = members.own.iter().map(|(name, member)| Some((name.clone(), member.value()?)));
                known.collect::<Option<Map>>().map(Value::from)
            }
            Self::Map(_)
            | Self::Sent(_)
            | Self::Now
            | Self::Fresh
            | Self::Token(..)
            | Self::Joined(_)
            | Self::Typed(..)
            | Self::Required(_)
            | Self::Made(..)
            | Self::Any(_) => None,
        }
    }

    /// The members, if all of their names are known.
    pub fn members(&self) -> Option<Vec<(Text, Self)>> {
        if let Self::Known(Value::Map(map)) = self {
            return Some(map.iter().map(|(name, value)| (name.clone(), Self::Known(value.clone()))).collect());
        }
        let Self::Map(members) = self else { return None };
        let own = members.own.iter().filter(|(_, member)| !member.is_nothing());
        members.base.is_none().then(|| own.cloned().collect())
    }

    /// The value, which must be there.
    pub(super) fn required(self) -> Self {
        match self {
            Self::Known(Value::Undefined) | Self::Sent(_) | Self::Made(..) | Self::Any(_) => {
                Self::Required(self.into()).bounded()
            }
            Self::Known(_)
            | Self::Map(_)
            | Self::List(_)
            | Self::Now
            | Self::Fresh
            | Self::Token(..)
            | Self::Joined(_)
            | Self::Typed(..)
            | Self::Required(_) => self,
        }
    }

    /// Whether there certainly is a value.
    pub(super) fn is_certain(&self) -> bool {
        let mut hangs = false;
        self.each_part(&mut |part| hangs |= matches!(part, Self::Required(_)));
        !hangs && self.is_required()
    }

    /// Whether there is always a value, or else a fault.
    pub(super) fn is_required(&self) -> bool {
        match self {
            Self::Known(value) => !value.is_undefined(),
            Self::Typed(_, inner) => inner.is_required(),
            Self::Any(choices) => choices.iter().all(Self::is_required),
            Self::Sent(_) | Self::Made(..) => false,
            Self::Map(_)
            | Self::List(_)
            | Self::Now
            | Self::Fresh
            | Self::Token(..)
            | Self::Joined(_)
            | Self::Required(_) => true,
        }
    }

    /// What stands at a path.
    pub(crate) fn read(&self, path: &[Segment]) -> Self {
        path.iter().fold(self.clone(), |at, segment| at.step(segment))
    }

    fn step(&self, segment: &Segment) -> Self {
        match (self, segment) {
            (Self::Known(Value::Map(map)), Segment::Key(name)) => {
                Self::Known(map.get(name).cloned().unwrap_or_default())
            }
            (Self::Known(Value::List(items)), Segment::Index(index)) => {
                Self::Known(items.get(*index as usize).cloned().unwrap_or_default())
            }
            (Self::Sent(path), segment) => {
                Self::Sent(Path(path.0.iter().cloned().chain([segment.clone()]).collect())).bounded()
            }
            (Self::Map(members), Segment::Key(name)) => members.get(name),
            (Self::List(items), Segment::Index(index)) => items.get(*index as usize).cloned().unwrap_or(Self::NOTHING),
            (Self::Any(choices), segment) => Self::any(choices.iter().map(|choice| choice.step(segment)).collect()),
            (Self::Required(inner), segment) => inner.step(segment),
            (Self::Made(..) | Self::Typed(..), _) => self.clone(),
            (Self::Known(_) | Self::Map(_) | Self::List(_) | Self::Now | Self::Fresh | Self::Token(..), _)
            | (Self::Joined(_), _) => Self::NOTHING,
        }
    }

    /// The same with this value at a path; as it was where the way leads through something without members.
    #[must_use]
    pub(crate) fn written(&self, path: &[Segment], value: Self) -> Self {
        let Some((first, rest)) = path.split_first() else { return value };
        let below = self.step(first).written(rest, value);
        if let Segment::Index(index) = first {
            return self.with_item(*index as usize, below);
        }
        let members = match (self, first) {
            (Self::Known(Value::Undefined), _) => Members::default(),
            (Self::Known(Value::Map(map)), _) => {
                let own = map.iter().map(|(name, value)| (name.clone(), Self::Known(value.clone())));
                Members { base: None, own: own.collect() }
            }
            (Self::Map(members), _) => Members::clone(members),
            (Self::Sent(_) | Self::Made(..) | Self::Any(_) | Self::Typed(..) | Self::Required(_), _) => {
                Members { base: Some(self.clone()), own: Vec::new() }
            }
            (Self::Known(_) | Self::List(_) | Self::Now | Self::Fresh | Self::Token(..) | Self::Joined(_), _) => {
                return self.clone();
            }
        };
        let Segment::Key(name) = first else { return self.clone() };
        Self::Map(Arc::new(members.with(name, below))).bounded()
    }

    /// The same list with this item in the place of another.
    fn with_item(&self, index: usize, item: Self) -> Self {
        let mut items = match self {
            Self::List(items) => items.to_vec(),
            Self::Known(Value::List(items)) => items.iter().cloned().map(Self::Known).collect(),
            Self::Known(_)
            | Self::Sent(_)
            | Self::Map(_)
            | Self::Now
            | Self::Fresh
            | Self::Token(..)
            | Self::Joined(_)
            | Self::Typed(..)
            | Self::Required(_)
            | Self::Made(..)
            | Self::Any(_) => Vec::new(),
        };
        match items.get_mut(index) {
            Some(place) => *place = item,
            None => return Self::made("a changed list", vec![self.clone(), item]),
        }
        Self::list(items)
    }

    /// What is known of a value that is one of two.
    pub(super) fn or(&self, other: &Self) -> Self {
        if self == other {
            return self.clone();
        }
        let (Self::Map(one), Self::Map(two)) = (self, other) else {
            return Self::any(vec![self.clone(), other.clone()]);
        };
        let base = match (&one.base, &two.base) {
            (None, None) => None,
            (Some(one), Some(two)) => Some(one.or(two)),
            (Some(base), None) | (None, Some(base)) => Some(base.or(&Self::NOTHING)),
        };
        let names = one.own.iter().chain(two.own.iter().filter(|(name, _)| one.own.iter().all(|(own, _)| own != name)));
        let own = names.map(|(name, _)| (name.clone(), one.get(name).or(&two.get(name)))).collect();
        Self::Map(Arc::new(Members { base, own })).bounded()
    }

    /// Calls this for every part of it, itself among them.
    pub fn each_part<'s>(&'s self, seen: &mut dyn FnMut(&'s Self)) {
        seen(self);
        match self {
            Self::List(parts) | Self::Joined(parts) | Self::Made(_, parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_part(seen));
            }
            Self::Map(members) => {
                members.base.iter().for_each(|base| base.each_part(seen));
                members.own.iter().for_each(|(_, member)| member.each_part(seen));
            }
            Self::Typed(_, inner) | Self::Required(inner) => inner.each_part(seen),
            Self::Known(_) | Self::Sent(_) | Self::Now | Self::Fresh | Self::Token(..) => {}
        }
    }

    /// Itself, unless it has too many parts to be followed.
    fn bounded(self) -> Self {
        let mut parts = 0_usize;
        self.each_part(&mut |part| parts += 1 + if let Self::Sent(path) = part { path.0.len() / 64 } else { 0 });
        if parts > PARTS_MAX { Self::Made("more than is followed here".into(), [].into()) } else { self }
    }
}

impl Members {
    /// The members that are known by name.
    pub fn own(&self) -> impl Iterator<Item = (&Text, &Symbol)> {
        self.own.iter().map(|(name, member)| (name, member))
    }

    fn get(&self, name: &str) -> Symbol {
        let own = self.own.iter().find(|(own, _)| &**own == name).map(|(_, member)| member.clone());
        let inherited = || self.base.as_ref().map(|base| base.step(&Segment::Key(name.into())));
        own.or_else(inherited).unwrap_or(Symbol::NOTHING)
    }

    fn with(mut self, name: &Text, value: Symbol) -> Self {
        match self.own.iter_mut().find(|(own, _)| own == name) {
            Some((_, member)) => *member = value,
            None => self.own.push((name.clone(), value)),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Symbol {
        Symbol::Known(Value::text(text))
    }

    fn keys<const N: usize>(names: [&str; N]) -> Path {
        Path::keys(names)
    }

    #[test]
    fn what_is_written_is_read_and_the_rest_stays_sent() {
        let sent = Symbol::Sent(Path::default());
        let message = sent.written(&keys(["payload", "sub"]).0, text("alice"));
        assert_eq!(message.read(&keys(["payload", "sub"]).0), text("alice"));
        assert_eq!(message.read(&keys(["payload", "iss"]).0), Symbol::Sent(keys(["payload", "iss"])));
        assert_eq!(message.read(&keys(["payload", "sub", "x"]).0), Symbol::NOTHING);
        let closed = Symbol::NOTHING.written(&keys(["a", "b"]).0, text("x"));
        assert_eq!(closed.value(), Some(Value::map([("a", Value::map([("b", Value::text("x"))]))])));
        assert_eq!(closed.written(&keys(["a", "b", "c"]).0, text("y")), closed);
    }

    #[test]
    fn two_ways_leave_open_only_what_differs() {
        let one = Symbol::map([("a".into(), text("x")), ("b".into(), text("1"))]);
        let two = Symbol::map([("a".into(), text("x")), ("c".into(), text("2"))]);
        let both = one.or(&two);
        assert_eq!(both.read(&keys(["a"]).0), text("x"));
        assert_eq!(both.read(&keys(["b"]).0), Symbol::any(vec![text("1"), Symbol::NOTHING]));
        assert_eq!(both.or(&one), both);
        let many = (0..20).map(|n| text(&n.to_string())).reduce(|all, one| all.or(&one)).unwrap();
        let Symbol::Any(choices) = many else { panic!("{many:?}") };
        assert!(choices.len() <= CHOICES_MAX && choices.contains(&Symbol::made("one of many values", Vec::new())));
    }

    #[test]
    fn a_symbol_that_doubles_at_each_step_is_given_up() {
        let mut symbol = Symbol::Sent(keys(["a"]));
        for _ in 0..64 {
            symbol = Symbol::list(vec![symbol.clone(), symbol]);
        }
        let mut parts = 0;
        symbol.each_part(&mut |_| parts += 1);
        assert!(parts <= PARTS_MAX, "{parts}");
    }

    #[test]
    fn texts_are_joined_as_far_as_they_are_known() {
        let token = Symbol::Token(NodeIx(1), "".into());
        assert_eq!(Symbol::joined(vec![text("a"), text("b")]), text("ab"));
        assert_eq!(Symbol::joined(vec![token.clone()]), token);
        let Symbol::Joined(parts) = Symbol::joined(vec![text("a"), token, text("b"), text("c")]) else { panic!() };
        assert_eq!(parts.len(), 3);
    }
}
