//! Numbers as JavaScript reads them out of a document's texts.

use jose::json::{Value as Json, write_number};

/// Seconds whose milliseconds a timer can still hold.
const SECONDS_MAX: f64 = 1e12;

/// `parseInt(text)` of ECMA-262 section 19.2.5; none for not-a-number.
pub(super) fn parse_int(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(is_blank);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = hexadecimal.map_or((10, text), |rest| (16, rest));
    let digits = &text[..text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len())];
    if digits.is_empty() {
        return None;
    }
    let value = match radix {
        10 => digits.parse().ok()?,
        _ => {
            digits.chars().filter_map(|digit| digit.to_digit(16)).fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit))
        }
    };
    Some(sign * value)
}

/// `parseInt(value)` of a property: numbers are read as the text that JavaScript gives them.
pub(super) fn parse_int_of(value: Option<&Json>) -> Option<f64> {
    match value? {
        Json::Text(text) => parse_int(text),
        Json::Number(text) => parse_int(&number_text(text.parse().ok()?)),
        // An array is read as its elements with commas between them, so as its first.
        Json::Array(items) => parse_int_of(items.first()),
        Json::Null | Json::Bool(_) | Json::Object(_) => None,
    }
}

/// `Number(value)` of a property that holds a number or its text; none for not-a-number.
pub(super) fn number_of(value: Option<&Json>) -> Option<f64> {
    match value? {
        Json::Text(text) if text.trim_matches(is_blank).is_empty() => Some(0.0),
        Json::Text(text) | Json::Number(text) => {
            text.trim_matches(is_blank).parse().ok().filter(|n: &f64| n.is_finite())
        }
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Whole milliseconds of a positive number of seconds, as a document gives it.
pub(super) fn milliseconds_of(value: Option<&Json>) -> Option<u64> {
    let seconds = number_of(value).filter(|seconds| *seconds > 0.0 && *seconds <= SECONDS_MAX)?;
    Some((seconds * 1000.0) as u64)
}

/// The text that JavaScript gives a finite number.
pub(super) fn number_text(number: f64) -> String {
    let mut out = Vec::new();
    let _finite = write_number(&mut out, number);
    String::from_utf8(out).unwrap_or_default()
}

/// White space and line ends of ECMA-262 sections 12.2 and 12.3.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\u{9}'..='\u{D}' | '\u{FEFF}') || (c.is_whitespace() && c != '\u{85}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_int_reads_the_longest_beginning_that_is_a_number() {
        let cases = [
            ("86400", Some(86_400.0)),
            ("1.9", Some(1.0)),
            ("1h", Some(1.0)),
            ("1e3", Some(1.0)),
            ("0x10", Some(16.0)),
            ("0x", None),
            ("-10", Some(-10.0)),
            (" \n+7 ", Some(7.0)),
            ("", None),
            ("abc", None),
            ("-", None),
            ("99999999999999999999", Some(1e20)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_int(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_read_as_its_text() {
        let read = |text: &str| parse_int_of(Some(&Json::Number(text.to_owned())));
        assert_eq!(read("60"), Some(60.0));
        assert_eq!(read("1.9"), Some(1.0));
        assert_eq!(read("1e3"), Some(1000.0));
        assert_eq!(read("5e-7"), Some(5.0));
        assert_eq!(parse_int_of(Some(&Json::Bool(true))), None);
        assert_eq!(parse_int_of(Some(&Json::Array(vec![Json::Text("30".to_owned()), Json::Null]))), Some(30.0));
    }

    #[test]
    fn seconds_become_whole_milliseconds() {
        let read = |text: &str| milliseconds_of(Some(&Json::Text(text.to_owned())));
        assert_eq!(read("0.1"), Some(100));
        assert_eq!(read("5"), Some(5000));
        assert_eq!(read(""), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("soon"), None);
    }
}
