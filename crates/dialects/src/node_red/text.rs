//! `String(value)` of JavaScript, for headers and cookies.

use plan::{Date, Number, Unencodable, Value};

use super::number::number_text;

/// What JavaScript writes where a text is asked for.
pub(super) fn string_of(value: &Value) -> String {
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
    }
}

/// What JavaScript writes for a number.
pub(super) fn text_of_number(number: &Number) -> String {
    match number.as_f64() {
        float if float.is_nan() => "NaN".to_owned(),
        float if float.is_infinite() => if float > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        float => number_text(float),
    }
}

/// Whether JavaScript takes a value for true.
pub(super) fn is_truthy(value: &Value) -> bool {
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

fn element(value: &Value) -> String {
    if matches!(value, Value::Undefined | Value::Null) { String::new() } else { string_of(value) }
}

fn text_of_date(date: Date) -> String {
    let shown =
        instant(date).map(|utc| utc.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)").to_string());
    shown.unwrap_or_else(|| "Invalid Date".to_owned())
}

/// A date as HTTP writes it (RFC 9110 section 5.6.7); none for the invalid date and years that have no such form.
pub(super) fn http_date(date: Date) -> Option<String> {
    instant(date).map(|utc| utc.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn instant(date: Date) -> Option<jiff::civil::DateTime> {
    let whole = date.epoch_ms.is_finite().then_some(date.epoch_ms.floor() as i64)?;
    let instant = jiff::Timestamp::from_millisecond(whole).ok()?;
    let utc = instant.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    (utc.year() >= 0).then_some(utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_javascript_writes_them() {
        let cases = [
            (Value::Null, "null"),
            (Value::integer(2), "2"),
            (Value::Number(Number::Float(f64::NAN)), "NaN"),
            (Value::Number(Number::Float(-1.5)), "-1.5"),
            (Value::Date(Date { epoch_ms: 0.0 }), "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"),
            (Value::Date(Date { epoch_ms: f64::NAN }), "Invalid Date"),
            (Value::map([("a", Value::Null)]), "[object Object]"),
            (Value::list(vec![Value::Null, Value::text("x"), Value::list(vec![Value::Bool(true)])]), ",x,true"),
        ];
        for (value, expected) in cases {
            assert_eq!(string_of(&value), expected);
        }
        assert_eq!(http_date(Date { epoch_ms: 1.0 }).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    }
}
