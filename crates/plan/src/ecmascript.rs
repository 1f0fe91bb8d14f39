//! What ECMAScript makes of values: as texts, as numbers, compared, and looked into (ECMA-262).

use std::cmp::Ordering;

use jose::json::write_number;

use crate::cell::Cells;
use crate::expr::Segment;
use crate::value::{Date, Number, Unencodable, Value};

/// `String(value)`.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => text_of_number(number),
        Value::Text(text) => text.to_string(),
        Value::Bytes(octets) => String::from_utf8_lossy(octets).into_owned(),
        Value::Date(date) => text_of_date(*date),
        Value::List(items) => items.iter().map(element).collect::<Vec<_>>().join(","),
        Value::Map(_) | Value::Handle(_) | Value::Unencodable(Unencodable::Circular) => "[object Object]".to_owned(),
        Value::Unencodable(Unencodable::BigInt(digits)) => digits.to_string(),
        Value::Unencodable(Unencodable::Function) => "function () { }".to_owned(),
        Value::Unencodable(Unencodable::Pattern(regexp)) => format!("/{}/{}", regexp.source, regexp.flags),
    }
}

/// `Number(value)`; not-a-number where there is none.
pub fn number_of(value: &Value) -> f64 {
    match value {
        Value::Undefined => f64::NAN,
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => number.as_f64(),
        Value::Date(date) => date.epoch_ms,
        Value::Text(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => number_of_text(&text_of(value)),
    }
}

/// `Number(text)`: white space around it does not matter, the empty text is 0.
pub fn number_of_text(text: &str) -> f64 {
    let text = text.trim_matches(is_blank);
    let radix = match text.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        Some(_) | None => None,
    };
    if let Some(radix) = radix {
        return number_of_digits(&text[2..], radix);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    match digits {
        "" if text.is_empty() => 0.0,
        "Infinity" => {
            if text.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        }
        // Rust also reads names such as `nan` and `inf`.
        _ if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// `parseFloat(value)`: the longest beginning of its text that is a number; not-a-number where there is none.
pub fn parse_float(value: &Value) -> f64 {
    let text = text_of(value);
    let text = text.trim_start_matches(is_blank);
    let sign = usize::from(text.starts_with(['+', '-']));
    if text[sign..].starts_with("Infinity") {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = sign + digits(sign);
    if text[end..].starts_with('.') {
        end += 1 + digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let exponent = end + 1 + usize::from(text[end + 1..].starts_with(['+', '-']));
        if digits(exponent) > 0 {
            end = exponent + digits(exponent);
        }
    }
    text[..end].parse().unwrap_or(f64::NAN)
}

/// Whether a value counts as true.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null | Value::Bool(false) => false,
        Value::Number(number) => !(number.as_f64() == 0.0 || number.as_f64().is_nan()),
        Value::Text(text) => !text.is_empty(),
        Value::Bool(true)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => true,
    }
}

/// `a == b` (section 7.2.13). Two containers are equal if they share their content.
pub fn loosely_equal(a: &Value, b: &Value) -> bool {
    let nothing = |value: &Value| matches!(value, Value::Undefined | Value::Null);
    match (a, b) {
        (a, b) if nothing(a) || nothing(b) => nothing(a) && nothing(b),
        (Value::Text(a), Value::Text(b)) => a == b,
        (a, b) if is_object(a) && is_object(b) => is_same(a, b),
        (a, Value::Text(b)) if is_object(a) => text_of(a) == **b,
        (Value::Text(a), b) if is_object(b) => text_of(b) == **a,
        (Value::Date(date), other) | (other, Value::Date(date)) => {
            number_of_text(&text_of_date(*date)) == number_of(other)
        }
        (a, b) => number_of(a) == number_of(b),
    }
}

/// How `a` and `b` stand to each other under `<` (section 7.2.12); none if either is not a number.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    if is_text_like(a) && is_text_like(b) {
        return Some(text_of(a).encode_utf16().cmp(text_of(b).encode_utf16()));
    }
    number_of(a).partial_cmp(&number_of(b))
}

/// `value[segment]`: members, elements, letters of a text, octets, and `length`; undefined for anything else.
pub fn property(value: &Value, segment: &Segment, cells: &Cells) -> Value {
    let value = if let Value::Handle(handle) = value { cells.get(*handle) } else { value };
    if let (Value::Map(map), Segment::Key(name)) = (value, segment) {
        return map.get(name).cloned().unwrap_or_default();
    }
    let index = match segment {
        Segment::Index(index) => Some(*index),
        Segment::Key(name) => name.parse().ok().filter(|index: &u32| index.to_string() == **name),
    };
    match (value, index) {
        (Value::Map(map), Some(index)) => map.get(&index.to_string()).cloned(),
        (Value::List(items), Some(index)) => items.get(index as usize).cloned(),
        (Value::Bytes(octets), Some(index)) => octets.get(index as usize).map(|octet| Value::integer((*octet).into())),
        (Value::Text(text), Some(index)) => text.chars().nth(index as usize).map(|c| Value::Text(c.to_string().into())),
        (value, None) if *segment == Segment::Key("length".into()) => {
            length(value).map(|len| Value::integer(len as i64))
        }
        (_, _) => None,
    }
    .unwrap_or_default()
}

/// The `length` of a text (in UTF-16 units), list or octets.
pub fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Text(text) => Some(text.encode_utf16().count()),
        Value::List(items) => Some(items.len()),
        Value::Bytes(octets) => Some(octets.len()),
        Value::Undefined
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Date(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => None,
    }
}

/// White space and line ends of sections 12.2 and 12.3.
pub fn is_blank(c: char) -> bool {
    matches!(c, '\u{9}'..='\u{D}' | '\u{FEFF}') || (c.is_whitespace() && c != '\u{85}')
}

fn number_of_digits(digits: &str, radix: u32) -> f64 {
    let sum = |sum: f64, digit: char| Some(sum * f64::from(radix) + f64::from(digit.to_digit(radix)?));
    if digits.is_empty() { f64::NAN } else { digits.chars().try_fold(0.0, sum).unwrap_or(f64::NAN) }
}

fn is_object(value: &Value) -> bool {
    match value {
        Value::Bytes(_) | Value::Date(_) | Value::List(_) | Value::Map(_) | Value::Handle(_) => true,
        Value::Unencodable(kind) => !matches!(kind, Unencodable::BigInt(_)),
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::Map(a), Value::Map(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::Bytes(a), Value::Bytes(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::Handle(a), Value::Handle(b)) => a == b,
        (_, _) => false,
    }
}

/// Whether the comparison with `<` takes the value for a text: texts, and objects whose primitive is one.
fn is_text_like(value: &Value) -> bool {
    matches!(value, Value::Text(_)) || (is_object(value) && !matches!(value, Value::Date(_)))
}

fn text_of_number(number: &Number) -> String {
    match number.as_f64() {
        float if float.is_nan() => "NaN".to_owned(),
        float if float.is_infinite() => if float > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        float => {
            let mut out = Vec::new();
            let _finite = write_number(&mut out, float);
            String::from_utf8(out).unwrap_or_default()
        }
    }
}

fn element(value: &Value) -> String {
    if matches!(value, Value::Undefined | Value::Null) { String::new() } else { text_of(value) }
}

fn text_of_date(date: Date) -> String {
    let whole = date.epoch_ms.is_finite().then_some(date.epoch_ms.floor() as i64);
    let instant = whole.and_then(|whole| jiff::Timestamp::from_millisecond(whole).ok());
    let utc = instant.map(|instant| instant.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    match utc.filter(|utc| utc.year() >= 0) {
        Some(utc) => utc.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)").to_string(),
        None => "Invalid Date".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64) -> Value {
        Value::Number(Number::Float(value))
    }

    #[test]
    fn values_as_texts() {
        let cases = [
            (Value::integer(2), "2"),
            (number(-1.5), "-1.5"),
            (number(f64::NAN), "NaN"),
            (Value::list(vec![Value::Null, Value::text("x"), Value::list(vec![Value::Bool(true)])]), ",x,true"),
            (Value::map([("a", Value::Null)]), "[object Object]"),
            (Value::Date(Date { epoch_ms: 0.0 }), "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"),
        ];
        for (value, expected) in cases {
            assert_eq!(text_of(&value), expected);
        }
    }

    #[test]
    fn texts_as_numbers() {
        let cases =
            [("", 0.0), (" 12 ", 12.0), ("0x10", 16.0), ("1e3", 1000.0), (".5", 0.5), ("-Infinity", f64::NEG_INFINITY)];
        for (text, expected) in cases {
            assert_eq!(number_of_text(text), expected, "{text:?}");
        }
        for text in ["abc", "1h", "nan", "inf", "0x", "--1", "1_0"] {
            assert!(number_of_text(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn the_beginning_of_a_text_as_a_number() {
        let cases = [
            ("100ms", 100.0),
            (" -1.5e2x", -150.0),
            (".5.5", 0.5),
            ("1e", 1.0),
            ("5.", 5.0),
            ("-Infinity!", f64::NEG_INFINITY),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_float(&Value::text(text)), expected, "{text:?}");
        }
        for text in ["", "ms", "-", ".", "e5", "nan", "inf"] {
            assert!(parse_float(&Value::text(text)).is_nan(), "{text:?}");
        }
    }

    /// NR-93: equality is loose.
    #[test]
    fn equality_is_loose() {
        let one = || Value::integer(1);
        for other in [Value::text("1"), Value::Bool(true), Value::list(vec![one()]), Value::text(" 1 ")] {
            assert!(loosely_equal(&one(), &other), "{other:?}");
        }
        assert!(loosely_equal(&Value::Null, &Value::Undefined));
        assert!(!loosely_equal(&Value::Null, &Value::integer(0)));
        assert!(!loosely_equal(&number(f64::NAN), &number(f64::NAN)));
        let map = Value::map([("a", one())]);
        assert!(loosely_equal(&map, &map.clone()) && !loosely_equal(&map, &Value::map([("a", one())])));
    }

    #[test]
    fn texts_are_ordered_as_texts_and_everything_else_as_numbers() {
        assert_eq!(order(&Value::text("9"), &Value::text("10")), Some(Ordering::Greater));
        assert_eq!(order(&Value::text("9"), &Value::integer(10)), Some(Ordering::Less));
        assert_eq!(order(&Value::text("x"), &Value::integer(10)), None);
        assert_eq!(order(&Value::Null, &Value::integer(10)), Some(Ordering::Less));
    }

    #[test]
    fn texts_and_lists_have_a_length_and_elements() {
        let look = |value: Value, segment| property(&value, &segment, &Cells::default());
        assert_eq!(look(Value::text("añ"), Segment::Key("length".into())), Value::integer(2));
        assert_eq!(look(Value::text("añ"), Segment::Index(1)), Value::text("ñ"));
        assert_eq!(look(Value::list(vec![Value::Null]), Segment::Key("0".into())), Value::Null);
        assert_eq!(look(Value::map([("length", Value::Null)]), Segment::Key("length".into())), Value::Null);
        assert_eq!(look(Value::Null, Segment::Index(0)), Value::Undefined);
    }
}
