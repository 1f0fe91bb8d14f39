//! What the `split` node makes of a value: a message for each piece, numbered in `parts`.

use plan::{Fault, FaultKind, Function, Map, Text, Value};

/// The messages that come of a value (first argument), each a map of the members that change: `value`, `parts`, `_msgid`
/// and, for the members of an object, `key`. The further arguments are `msg.parts`, two fresh ids, and the settings:
/// `property` where it is not `payload`, and of each kind of cut the one that applies.
pub(in crate::node_red) const SPLIT: Function = Function { name: "split", run: split };

/// Most pieces of one message.
const PIECES_MAX: usize = 100_000;
/// What the ids of neighbouring messages are apart: odd, so that no two of a sequence are the same.
const ID_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

const COUNT: (&str, Said) = ("count", Said::Count);
const INDEX: (&str, Said) = ("index", Said::Index);

/// A piece of the value, and its name among the members of an object.
type Piece = (Option<Text>, Value);

/// The pieces and how many the parts tell of, which need not be as many.
struct Pieces {
    pieces: Vec<Piece>,
    count: usize,
    kind: &'static str,
    /// What `parts` says behind the kind, in this order.
    said: Vec<(&'static str, Said)>,
}

/// What a member of `parts` says.
enum Said {
    /// The same for each piece.
    Same(Value),
    /// How many pieces there are.
    Count,
    /// Which piece this is, from 0.
    Index,
    /// The name of the piece.
    Key,
}

/// How texts and octets are cut.
enum Cut<'s> {
    /// Into pieces of so many UTF-16 units or octets.
    Length(usize),
    /// Wherever this stands. `told` is how `parts` tells of it, `step` how far the next piece begins behind a place
    /// among octets.
    At { text: &'s str, octets: &'s [u8], told: &'s Value, step: usize },
}

fn split(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, before, id, first, settings] = arguments else { return Ok(Value::Undefined) };
    let cut = Cut::of(settings);
    let pieces = match value {
        Value::Text(text) => of_text(text, &cut)?,
        Value::Bytes(octets) => of_octets(octets, &cut)?,
        Value::List(items) => of_list(items, length(member(settings, "arrayLength")))?,
        Value::Map(members) => of_map(members)?,
        Value::Null => return Err(Fault::new(FaultKind::ValueUnfit, "Cannot convert undefined or null to object")),
        Value::Undefined
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Date(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => return Ok(Value::list(Vec::new())),
    };
    let mut common = Map::new();
    if !before.is_undefined() {
        common.insert("parts".into(), before.clone());
    }
    common.insert("id".into(), id.clone());
    if let property @ Value::Text(_) = member(settings, "property") {
        common.insert("property".into(), property.clone());
    }
    Ok(Value::list(pieces.numbered(&common, first)))
}

impl<'s> Cut<'s> {
    fn of(settings: &'s Value) -> Self {
        let told = member(settings, "told");
        match (member(settings, "text"), member(settings, "octets")) {
            (Value::Text(text), Value::Bytes(octets)) => {
                let is_text = matches!(told, Value::Text(_));
                let step = if is_text { text.encode_utf16().count() } else { octets.len() };
                Self::At { text, octets, told, step }
            }
            _ => Self::Length(length(member(settings, "length"))),
        }
    }
}

impl Pieces {
    fn new(kind: &'static str, pieces: Vec<Piece>, said: Vec<(&'static str, Said)>) -> Result<Self, Fault> {
        let count = pieces.len();
        if count > PIECES_MAX {
            return Err(Fault::new(FaultKind::Oversized, format!("The value has more than {PIECES_MAX} pieces.")));
        }
        Ok(Self { pieces, count, kind, said })
    }

    /// What is empty is sent as it is, though the parts count none.
    fn or_one(mut self, empty: Value) -> Self {
        if self.pieces.is_empty() {
            self.pieces.push((None, empty));
        }
        self
    }

    fn numbered(self, common: &Map, first: &Value) -> Vec<Value> {
        let first = first.as_text().and_then(|id| u64::from_str_radix(id, 16).ok()).unwrap_or_default();
        let (count, kind) = (Value::integer(self.count as i64), Value::text(self.kind));
        let message = |(index, (key, value)): (usize, Piece)| {
            let key = key.map_or(Value::Undefined, Value::Text);
            let mut parts = common.clone();
            parts.insert("type".into(), kind.clone());
            for (name, said) in &self.said {
                let value = match said {
                    Said::Same(value) => value,
                    Said::Count => &count,
                    Said::Index => &Value::integer(index as i64),
                    Said::Key => &key,
                };
                parts.insert((*name).into(), value.clone());
            }
            let id = Value::text(format!("{:016x}", first.wrapping_add((index as u64).wrapping_mul(ID_STEP))));
            let named = (!key.is_undefined()).then_some(("key", key));
            Value::map([("value", value), ("parts", parts.into()), ("_msgid", id)].into_iter().chain(named))
        };
        self.pieces.into_iter().enumerate().map(message).collect()
    }
}

fn of_text(text: &str, cut: &Cut<'_>) -> Result<Pieces, Fault> {
    let unnamed = |piece: &str| (None, Value::text(piece));
    match cut {
        Cut::Length(most) => {
            let units: Vec<u16> = text.encode_utf16().collect();
            let said = vec![("ch", Said::Same(Value::text(""))), ("len", whole(*most)), COUNT, INDEX];
            let pieces = units.chunks(*most).map(|units| unnamed(&String::from_utf16_lossy(units)));
            Ok(Pieces::new("string", pieces.take(PIECES_MAX + 1).collect(), said)?.or_one(Value::text("")))
        }
        Cut::At { text: "", told, .. } => {
            let units: Vec<u16> = text.encode_utf16().take(PIECES_MAX + 1).collect();
            let pieces = units.chunks(1).map(|unit| unnamed(&String::from_utf16_lossy(unit))).collect();
            Pieces::new("string", pieces, vec![("ch", Said::Same((*told).clone())), INDEX, COUNT])
        }
        Cut::At { text: separator, told, .. } => {
            let pieces = text.split(separator).take(PIECES_MAX + 1).map(unnamed).collect();
            Pieces::new("string", pieces, vec![("ch", Said::Same((*told).clone())), INDEX, COUNT])
        }
    }
}

fn of_octets(octets: &[u8], cut: &Cut<'_>) -> Result<Pieces, Fault> {
    match cut {
        Cut::Length(most) => {
            let said = vec![COUNT, ("len", whole(*most)), INDEX];
            let pieces = octets.chunks(*most).take(PIECES_MAX + 1).map(unnamed_octets).collect();
            Ok(Pieces::new("buffer", pieces, said)?.or_one(Value::Bytes([].into())))
        }
        Cut::At { octets: [], .. } => {
            Err(Fault::new(FaultKind::ValueUnfit, "Octets cannot be split at an empty separator."))
        }
        Cut::At { octets: separator, told, step, .. } => {
            let (mut pieces, mut rest) = (Vec::new(), octets);
            while let Some(at) = rest.windows(separator.len()).position(|window| window == *separator) {
                pieces.push(unnamed_octets(&rest[..at]));
                rest = &rest[at + step..];
                if pieces.len() > PIECES_MAX {
                    break;
                }
            }
            // What is empty behind the last separator is counted, but not sent.
            let count = pieces.len() + 1;
            if !rest.is_empty() {
                pieces.push(unnamed_octets(rest));
            }
            let said = vec![("ch", Said::Same((*told).clone())), COUNT, INDEX];
            Ok(Pieces { count, ..Pieces::new("buffer", pieces, said)? })
        }
    }
}

fn of_list(items: &[Value], most: usize) -> Result<Pieces, Fault> {
    let piece = |chunk: &[Value]| (None, if most == 1 { chunk[0].clone() } else { Value::list(chunk.to_vec()) });
    let pieces = items.chunks(most).take(PIECES_MAX + 1).map(piece).collect();
    Pieces::new("array", pieces, vec![COUNT, ("len", whole(most)), INDEX])
}

fn of_map(members: &Map) -> Result<Pieces, Fault> {
    let pieces = members.iter().take(PIECES_MAX + 1).map(|(name, value)| (Some(name.clone()), value.clone())).collect();
    Pieces::new("object", pieces, vec![("key", Said::Key), INDEX, COUNT])
}

fn unnamed_octets(octets: &[u8]) -> Piece {
    (None, Value::Bytes(octets.into()))
}

fn whole(length: usize) -> Said {
    Said::Same(Value::integer(length as i64))
}

fn member<'v>(settings: &'v Value, name: &str) -> &'v Value {
    settings.as_map().and_then(|settings| settings.get(name)).unwrap_or(&Value::Undefined)
}

/// A length that was checked when the node was read.
fn length(value: &Value) -> usize {
    if let Value::Number(number) = value { (number.as_f64() as usize).max(1) } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(value: Value, settings: &[(&str, Value)]) -> Result<Vec<Value>, Fault> {
        let settings = Value::map(settings.iter().map(|(name, value)| (*name, value.clone())));
        let id = Value::text("00000000000000ff");
        let made = split(&[value, Value::Undefined, Value::text("group"), id, settings])?;
        let Value::List(items) = made else { panic!("{made:?}") };
        Ok(items.to_vec())
    }

    fn at(separator: &str) -> [(&'static str, Value); 3] {
        let octets = Value::Bytes(separator.as_bytes().into());
        [("text", Value::text(separator)), ("octets", octets), ("told", Value::text(separator))]
    }

    fn values(items: &[Value]) -> Vec<Value> {
        items.iter().map(|item| member(item, "value").clone()).collect()
    }

    #[test]
    fn each_part_tells_of_the_sequence_and_has_an_id_of_its_own() {
        let items = run(Value::text("a,b"), &at(",")).unwrap();
        assert_eq!(values(&items), [Value::text("a"), Value::text("b")]);
        let part = |index| {
            let said = [("id", Value::text("group")), ("type", Value::text("string")), ("ch", Value::text(","))];
            Value::map(said.into_iter().chain([("index", Value::integer(index)), ("count", Value::integer(2))]))
        };
        assert_eq!([member(&items[0], "parts"), member(&items[1], "parts")], [&part(0), &part(1)]);
        assert_eq!(member(&items[0], "_msgid"), &Value::text("00000000000000ff"));
        assert_ne!(member(&items[0], "_msgid"), member(&items[1], "_msgid"));
    }

    #[test]
    fn what_is_empty_behind_the_last_separator_is_a_piece_of_text_but_not_of_octets() {
        assert_eq!(run(Value::text("a,"), &at(",")).unwrap().len(), 2);
        let items = run(Value::Bytes(b"a,".as_slice().into()), &at(",")).unwrap();
        assert_eq!(values(&items), [Value::Bytes(b"a".as_slice().into())]);
        assert_eq!(member(member(&items[0], "parts"), "count"), &Value::integer(2));
        assert!(run(Value::Bytes([].into()), &at(",")).unwrap().is_empty());
    }

    #[test]
    fn a_separator_behind_which_the_next_piece_would_begin_too_early_ends_all_the_same() {
        let items = run(Value::Bytes("aüb".as_bytes().into()), &at("ü")).unwrap();
        assert_eq!(values(&items)[0], Value::Bytes(b"a".as_slice().into()));
        assert!(run(Value::Bytes(b"a".as_slice().into()), &at("")).is_err());
    }

    #[test]
    fn lengths_count_utf16_units_and_the_empty_text_is_one_piece() {
        let two = [("length", Value::integer(2))];
        let items = run(Value::text("a\u{E9}b"), &two).unwrap();
        assert_eq!(values(&items), [Value::text("a\u{E9}"), Value::text("b")]);
        let items = run(Value::text(""), &two).unwrap();
        assert_eq!(values(&items), [Value::text("")]);
        assert_eq!(member(member(&items[0], "parts"), "count"), &Value::integer(0));
    }

    #[test]
    fn there_is_a_bound_on_pieces() {
        let many = Value::text(",".repeat(PIECES_MAX));
        assert_eq!(run(many, &at(",")).unwrap_err().kind, FaultKind::Oversized);
        let many = Value::list(vec![Value::Null; PIECES_MAX + 1]);
        assert_eq!(run(many, &[]).unwrap_err().kind, FaultKind::Oversized);
    }
}
