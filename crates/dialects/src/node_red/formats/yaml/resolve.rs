//! What a scalar, list or map of YAML stands for, by its tag or, if it is plain, by how it looks.

use base64_simd::STANDARD;
use plan::{Date, Map, Number, Value};

/// The prefix of the tags that YAML itself defines.
const CORE: &str = "tag:yaml.org,2002:";
/// Integers up to this are doubles of their own: 2^53 - 1.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;
const MS_PER_DAY: f64 = 86_400_000.0;

/// What stands at the end of an event.
pub(super) enum Resolved {
    /// A value.
    Value(Value),
    /// `<<`, which as a key merges maps.
    Merge,
}

impl Resolved {
    /// The value; `<<` elsewhere is a text.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Merge => Value::text("<<"),
        }
    }
}

/// The value of a scalar.
///
/// # Errors
///
/// Why it has none: an unknown tag, or a text that is not of its tag.
pub(super) fn scalar(text: &str, is_plain: bool, tag: Option<&str>) -> Result<Resolved, String> {
    let core = match tag {
        None if is_plain => return Ok(implicit(text)),
        None | Some("!") => return Ok(Resolved::Value(Value::text(text))),
        Some(tag) => tag.strip_prefix(CORE).ok_or_else(|| unknown(tag))?,
    };
    let found = match core {
        "str" => Some(Value::text(text)),
        "null" => null(text).filter(|_| is_plain || !text.is_empty()),
        "bool" => boolean(text),
        "int" => integer(text),
        "float" => float(text),
        "timestamp" => timestamp(text),
        "binary" => binary(text),
        "merge" if text == "<<" => return Ok(Resolved::Merge),
        "seq" | "omap" | "pairs" if text.is_empty() || text == "~" => Some(Value::list(Vec::new())),
        "map" | "set" if text.is_empty() || text == "~" => Some(Map::new().into()),
        _ => return Err(unknown(core)),
    };
    found.map(Resolved::Value).ok_or_else(|| format!("`{text}` is nothing of the type `{core}`"))
}

/// The value of a list.
///
/// # Errors
///
/// Why it has none.
pub(super) fn list(items: Vec<Value>, tag: Option<&str>) -> Result<Value, String> {
    match tag.map(|tag| tag.strip_prefix(CORE).unwrap_or(tag)) {
        None | Some("!" | "seq") => Ok(Value::list(items)),
        Some("omap") => {
            let mut names = Vec::new();
            for item in &items {
                let name = single(item).ok_or("an item of an ordered map is no map of one member")?.0;
                if names.contains(&name) {
                    return Err(format!("the key `{name}` stands twice in an ordered map"));
                }
                names.push(name);
            }
            Ok(Value::list(items))
        }
        Some("pairs") => {
            let pair =
                |item: &Value| single(item).map(|(name, value)| Value::list(vec![Value::text(name), value.clone()]));
            let pairs: Option<Vec<_>> = items.iter().map(pair).collect();
            pairs.map(Value::list).ok_or_else(|| "an item of a list of pairs is no map of one member".to_owned())
        }
        Some(other) => Err(unknown(other)),
    }
}

/// The value of a map.
///
/// # Errors
///
/// Why it has none.
pub(super) fn map(members: Map, tag: Option<&str>) -> Result<Value, String> {
    match tag.map(|tag| tag.strip_prefix(CORE).unwrap_or(tag)) {
        None | Some("!" | "map") => Ok(members.into()),
        Some("set") if members.iter().all(|(_, member)| *member == Value::Null) => Ok(members.into()),
        Some("set") => Err("a set has members with values".to_owned()),
        Some(other) => Err(unknown(other)),
    }
}

/// What a plain scalar stands for by its looks.
pub(super) fn implicit(text: &str) -> Resolved {
    if text == "<<" {
        return Resolved::Merge;
    }
    let found = null(text).or_else(|| boolean(text)).or_else(|| integer(text)).or_else(|| float(text));
    Resolved::Value(found.or_else(|| timestamp(text)).unwrap_or_else(|| Value::text(text)))
}

fn unknown(tag: &str) -> String {
    format!("the tag `{tag}` is not known for what it stands at")
}

fn single(item: &Value) -> Option<(&str, &Value)> {
    let map = item.as_map().filter(|map| map.len() == 1)?;
    map.iter().next().map(|(name, value)| (&**name, value))
}

fn null(text: &str) -> Option<Value> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Value::Null)
}

fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Value> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) if text.starts_with('-') => (-1.0, digits),
        Some(digits) => (1.0, digits),
        None => (1.0, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0x") => (16, &digits[2..]),
        Some(_) | None => (10, digits),
    };
    let sum = |sum: f64, digit: char| Some(sum * f64::from(radix) + f64::from(digit.to_digit(radix)?));
    let exact =
        if radix == 10 && digits.bytes().all(|digit| digit.is_ascii_digit()) { digits.parse().ok() } else { None };
    let value = exact.or_else(|| digits.chars().try_fold(0.0, sum)).filter(|value: &f64| value.is_finite())?;
    (!digits.is_empty()).then(|| number(sign * value))
}

/// A double, kept as an integer where it is one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= SAFE_INTEGER_MAX {
        return Value::integer(value as i64);
    }
    Value::Number(Number::Float(value))
}

fn float(text: &str) -> Option<Value> {
    let of = |value: f64| Some(Value::Number(Number::Float(value)));
    match text.strip_prefix(['-', '+']).unwrap_or(text) {
        ".inf" | ".Inf" | ".INF" => return of(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        ".nan" | ".NaN" | ".NAN" if text.starts_with('.') => return of(f64::NAN),
        _ => {}
    }
    let is_signed = text.starts_with(['-', '+']);
    let digits = if is_signed { &text[1..] } else { text };
    let starts = digits.starts_with(|c: char| c.is_ascii_digit()) || (!is_signed && digits.starts_with('.'));
    let plain = digits.bytes().all(|octet| octet.is_ascii_digit() || matches!(octet, b'.' | b'e' | b'E' | b'+' | b'-'));
    let has_digit_behind_dot = !digits.starts_with('.') || digits[1..].starts_with(|c: char| c.is_ascii_digit());
    let value =
        text.parse::<f64>().ok().filter(|value| starts && plain && has_digit_behind_dot && value.is_finite())?;
    of(value)
}

fn binary(text: &str) -> Option<Value> {
    let compact: Vec<u8> = text.bytes().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
    STANDARD.decode_to_vec(compact).ok().map(|octets| Value::Bytes(octets.into()))
}

/// `2001-12-14`, or with a time and an offset, as `2001-12-14t21:59:43.10-05:00`.
fn timestamp(text: &str) -> Option<Value> {
    let (date, rest) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let two = |digits: &str| digits.len() == 2 || rest.is_some();
    if parts.next().is_some() || year.len() != 4 || !two(month) || !two(day) {
        return None;
    }
    let at_midnight = days(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?) * MS_PER_DAY;
    let epoch_ms = at_midnight + rest.map_or(Some(0.0), time_ms)?;
    Some(Value::Date(Date { epoch_ms }))
}

/// The time of day behind a date, in milliseconds, less its offset.
fn time_ms(rest: &str) -> Option<f64> {
    let time = rest.strip_prefix(['T', 't']).unwrap_or_else(|| rest.trim_start_matches([' ', '\t']));
    let end = time.find(['Z', '+', '-', ' ', '\t']).unwrap_or(time.len());
    let (clock, zone) = (&time[..end], time[end..].trim_start_matches([' ', '\t']));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && minute.len() == 2 && second.len() == 2;
    if !is_whole || !fraction.bytes().all(|octet| octet.is_ascii_digit()) || (zone.is_empty() && end < time.len()) {
        return None;
    }
    let seconds = (digits(hour, 2)? * 60.0 + digits(minute, 2)?) * 60.0 + digits(second, 2)?;
    let fraction = format!("{fraction:0<3}")[..3].parse::<f64>().ok()?;
    Some(seconds * 1000.0 + fraction - offset_ms(zone)?)
}

fn offset_ms(zone: &str) -> Option<f64> {
    if matches!(zone, "" | "Z") {
        return Some(0.0);
    }
    let sign = if zone.starts_with('-') { -1.0 } else { 1.0 };
    let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "00"));
    let minutes = (minutes.len() == 2).then_some(minutes)?;
    Some(sign * (digits(hours, 2)? * 60.0 + digits(minutes, 2)?) * 60_000.0)
}

fn digits(text: &str, most: usize) -> Option<f64> {
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// Days from 1970-01-01 in the Gregorian calendar; months and days beyond their ends run on, years below 100 are 1900's.
fn days(year: f64, month: f64, day: f64) -> f64 {
    let year = if year < 100.0 { year + 1900.0 } else { year };
    let months = year * 12.0 + month - 3.0;
    let (year, month) = ((months / 12.0).floor(), months.rem_euclid(12.0));
    let of_month = ((153.0 * month + 2.0) / 5.0).floor();
    let of_year = 365.0 * year + (year / 4.0).floor() - (year / 100.0).floor() + (year / 400.0).floor();
    of_year + of_month + day - 1.0 - 719_468.0
}
