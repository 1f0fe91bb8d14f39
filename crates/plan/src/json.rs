//! Values from JSON text and back.

use std::sync::Arc;

use jiff::Timestamp;
use jose::json::{Event, JsonError, JsonErrorKind, Limits, Reader, write_integer, write_number, write_text};

use crate::value::{Date, Map, Number, Text, Unencodable, Value};

/// The largest integer up to which every integer is a double of its own: 2^53 - 1.
const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

/// How a JSON text becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonRules {
    /// As written: every number keeps its text, members keep their order.
    Exact,
    /// As an ECMAScript host would hold it: numbers are doubles, and members named like an array index come first, in
    /// ascending order.
    Ecmascript,
}

/// What JSON has no way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// The value contains itself, or leads to the request.
    #[error("the value contains itself")]
    Circular,
    /// An integer of a type that JSON does not have.
    #[error("the value holds a BigInt")]
    BigInteger,
}

/// Reads one JSON text.
///
/// # Errors
///
/// What the reader says, with the place; a repeated member is an error at any depth.
pub fn read_json(input: &[u8], limits: Limits, rules: JsonRules) -> Result<Value, JsonError> {
    let mut reader = Reader::new(input, limits)?;
    let mut open: Vec<Open> = Vec::new();
    let mut result = Value::Undefined;
    while let Some(event) = reader.next_event()? {
        let value = match event {
            Event::ArrayStart => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::ObjectStart => {
                open.push(Open::Map(Map::new(), Text::default()));
                continue;
            }
            Event::Name(name) => {
                name_member(&mut open, &name).map_err(|kind| JsonError { kind, offset: reader.offset() })?;
                continue;
            }
            Event::ArrayEnd | Event::ObjectEnd => {
                open.pop().map(|container| container.close(rules)).unwrap_or_default()
            }
            Event::Null => Value::Null,
            Event::Bool(value) => Value::Bool(value),
            Event::Text(text) => Value::text(text),
            Event::Number(text) => Value::Number(number(text, rules)),
        };
        match open.last_mut() {
            Some(container) => container.add(value),
            None => result = value,
        }
    }
    Ok(result)
}

/// Appends the value as JSON without blanks, the way `JSON.stringify` writes it: undefined members are left out, not-a-number
/// and the infinities are `null`, dates are ISO 8601 text, octets are `{"type":"Buffer","data":[..]}`.
///
/// Gives false, and appends nothing, if the value is undefined.
///
/// # Errors
///
/// [`Unwritable`]; what was appended by then is left in place.
pub fn write_json(out: &mut Vec<u8>, value: &Value) -> Result<bool, Unwritable> {
    match value {
        Value::Undefined | Value::Unencodable(Unencodable::Function) => return Ok(false),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Number(number) => write_value_number(out, number),
        Value::Text(text) => write_text(out, text),
        Value::Bytes(octets) => write_octets(out, octets),
        Value::Date(date) => write_date(out, *date),
        Value::List(items) => write_list(out, items)?,
        Value::Map(map) => write_map(out, map)?,
        Value::Handle(_) | Value::Unencodable(Unencodable::Circular) => return Err(Unwritable::Circular),
        Value::Unencodable(Unencodable::BigInt(_)) => return Err(Unwritable::BigInteger),
        Value::Unencodable(Unencodable::Pattern(_)) => out.extend_from_slice(b"{}"),
    }
    Ok(true)
}

enum Open {
    List(Vec<Value>),
    /// The members so far, and the name of the one whose value comes next.
    Map(Map, Text),
}

impl Open {
    fn add(&mut self, value: Value) {
        match self {
            Self::List(items) => items.push(value),
            Self::Map(map, name) => {
                map.insert(std::mem::take(name), value);
            }
        }
    }

    fn close(self, rules: JsonRules) -> Value {
        match self {
            Self::List(items) => Value::list(items),
            Self::Map(map, _) if rules == JsonRules::Ecmascript => map.indices_first().into(),
            Self::Map(map, _) => map.into(),
        }
    }
}

fn name_member(open: &mut [Open], name: &str) -> Result<(), JsonErrorKind> {
    let Some(Open::Map(map, next)) = open.last_mut() else { return Ok(()) };
    if map.get(name).is_some() {
        return Err(JsonErrorKind::Duplicate);
    }
    *next = name.into();
    Ok(())
}

fn number(text: &str, rules: JsonRules) -> Number {
    let integer = text.parse::<i64>().ok().filter(|_| text != "-0");
    match (rules, integer) {
        (JsonRules::Exact, Some(integer)) => Number::Integer(integer),
        (JsonRules::Ecmascript, Some(integer)) if integer.abs() <= SAFE_INTEGER_MAX => Number::Integer(integer),
        (JsonRules::Exact, None) => Number::Literal(text.into()),
        (JsonRules::Ecmascript, _) => Number::Float(text.parse().unwrap_or(f64::NAN)),
    }
}

impl Map {
    /// The same members as ECMAScript orders them: names of array indices first, ascending, then the others as they
    /// stand (ECMA-262, OrdinaryOwnPropertyKeys).
    #[must_use]
    pub fn indices_first(self) -> Self {
        if !self.iter().any(|(name, _)| array_index(name).is_some()) {
            return self;
        }
        let mut members: Vec<(Text, Value)> = self.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        members.sort_by_key(|(name, _)| array_index(name).unwrap_or(u32::MAX));
        members.into_iter().collect()
    }
}

/// The index that a member name spells, if it is the canonical text of one: 0 to 2^32 - 2.
fn array_index(name: &str) -> Option<u32> {
    let index = name.parse::<u32>().ok().filter(|index| *index != u32::MAX)?;
    (itoa::Buffer::new().format(index) == name).then_some(index)
}

fn write_value_number(out: &mut Vec<u8>, number: &Number) {
    match number {
        Number::Integer(integer) => write_integer(out, *integer),
        Number::Literal(text) => out.extend_from_slice(text.as_bytes()),
        Number::Float(float) => {
            if !write_number(out, *float) {
                out.extend_from_slice(b"null");
            }
        }
    }
}

fn write_octets(out: &mut Vec<u8>, octets: &Arc<[u8]>) {
    out.extend_from_slice(br#"{"type":"Buffer","data":["#);
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_integer(out, i64::from(*octet));
    }
    out.extend_from_slice(b"]}");
}

fn write_date(out: &mut Vec<u8>, date: Date) {
    match date.to_iso_text() {
        Some(text) => write_text(out, &text),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_list(out: &mut Vec<u8>, items: &[Value]) -> Result<(), Unwritable> {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if !write_json(out, item)? {
            out.extend_from_slice(b"null");
        }
    }
    out.push(b']');
    Ok(())
}

fn write_map(out: &mut Vec<u8>, map: &Map) -> Result<(), Unwritable> {
    out.push(b'{');
    let mut first = true;
    for (name, value) in map.iter() {
        let start = out.len();
        if !first {
            out.push(b',');
        }
        write_text(out, name);
        out.push(b':');
        if write_json(out, value)? {
            first = false;
        } else {
            out.truncate(start);
        }
    }
    out.push(b'}');
    Ok(())
}

impl Date {
    /// `YYYY-MM-DDTHH:mm:ss.sssZ`, in UTC; none for the invalid date and for years beyond 0 to 9999.
    pub fn to_iso_text(self) -> Option<String> {
        let whole = self.epoch_ms.is_finite().then_some(self.epoch_ms as i64)?;
        let instant = Timestamp::from_millisecond(whole).ok()?;
        let civil = instant.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        (civil.year() >= 0).then(|| civil.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Handle;

    fn round_trip(text: &str, rules: JsonRules) -> String {
        let value = read_json(text.as_bytes(), Limits::REQUEST, rules).unwrap();
        written(&value).unwrap().unwrap()
    }

    fn written(value: &Value) -> Result<Option<String>, Unwritable> {
        let mut out = Vec::new();
        let some = write_json(&mut out, value)?;
        Ok(some.then(|| String::from_utf8(out).unwrap()))
    }

    #[test]
    fn exact_text_comes_back_letter_for_letter() {
        let text = r#"{"b":[1,-0,1e21,12345678901234567890123,0.10],"1":{"a":null,"":true},"ü/":"\n"}"#;
        assert_eq!(round_trip(text, JsonRules::Exact), text);
    }

    #[test]
    fn an_ecmascript_host_orders_indices_first_and_holds_doubles() {
        let text = r#"{"b":12345678901234567890,"10":1.0,"2":-0,"01":0.10}"#;
        assert_eq!(round_trip(text, JsonRules::Ecmascript), r#"{"2":0,"10":1,"b":12345678901234567000,"01":0.1}"#);
    }

    #[test]
    fn a_repeated_member_is_refused_at_any_depth() {
        let refused = read_json(br#"[{"a":{"x":1,"x":2}}]"#, Limits::REQUEST, JsonRules::Exact).unwrap_err();
        assert_eq!(refused.kind, JsonErrorKind::Duplicate);
    }

    #[test]
    fn leaves_are_written_as_json_stringify_writes_them() {
        let value = Value::map([
            ("gone", Value::Undefined),
            ("code", Value::Unencodable(Unencodable::Function)),
            ("pattern", crate::Regexp { source: "a".into(), flags: "g".into() }.into()),
            ("nan", Value::Number(Number::Float(f64::NAN))),
            ("list", Value::list(vec![Value::Undefined, Value::Number(Number::Float(0.5))])),
            ("date", Value::Date(Date { epoch_ms: 1_700_000_000_123.0 })),
            ("never", Value::Date(Date { epoch_ms: f64::NAN })),
            ("octets", Value::Bytes([1, 255].as_slice().into())),
        ]);
        let expected = r#"{"pattern":{},"nan":null,"list":[null,0.5],"date":"2023-11-14T22:13:20.123Z","never":null,"octets":{"type":"Buffer","data":[1,255]}}"#;
        assert_eq!(written(&value), Ok(Some(expected.to_owned())));
        assert_eq!(written(&Value::Undefined), Ok(None));
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        assert_eq!(written(&Value::list(vec![Value::Handle(Handle(0))])), Err(Unwritable::Circular));
        assert_eq!(written(&Value::Unencodable(Unencodable::BigInt("1".into()))), Err(Unwritable::BigInteger));
    }
}
