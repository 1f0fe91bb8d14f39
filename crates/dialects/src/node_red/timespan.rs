//! Spans of time as `jsonwebtoken` takes them: a number of seconds, or a text such as `1h` (section 6).

use jose::json::Value as Json;

/// The longest text that is read.
const CHARS_MAX: usize = 100;
const SECOND_MS: f64 = 1_000.0;
const DAY_MS: f64 = 86_400_000.0;

/// What a property asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Span {
    /// Nothing stands there.
    Absent,
    /// Whole seconds, fractions cut off downwards.
    Seconds(i64),
    /// A text without a unit, which counts milliseconds: this many whole seconds.
    Milliseconds(i64),
    /// Something else.
    Invalid,
}

/// Reads the span of a property: numbers must be whole.
pub(super) fn of(value: Option<&Json>) -> Span {
    let seconds = |number: f64| (number.abs() < 9e15).then_some(number.floor() as i64);
    match value {
        None => Span::Absent,
        Some(Json::Number(text)) => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.fract() == 0.0)
            .and_then(seconds)
            .map_or(Span::Invalid, Span::Seconds),
        Some(Json::Text(text)) => match milliseconds(text) {
            None => Span::Invalid,
            Some((ms, true)) => seconds(ms / SECOND_MS).map_or(Span::Invalid, Span::Seconds),
            Some((ms, false)) => seconds(ms / SECOND_MS).map_or(Span::Invalid, Span::Milliseconds),
        },
        Some(Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_)) => Span::Invalid,
    }
}

/// The milliseconds of a text, and whether it names a unit.
fn milliseconds(text: &str) -> Option<(f64, bool)> {
    if text.len() > CHARS_MAX {
        return None;
    }
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-')).unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim_start_matches(' ').to_ascii_lowercase());
    if !number.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    Some((number * unit_ms(&unit)?, !unit.is_empty()))
}

fn unit_ms(unit: &str) -> Option<f64> {
    Some(match unit {
        "" | "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND_MS,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0 * SECOND_MS,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0 * SECOND_MS,
        "d" | "day" | "days" => DAY_MS,
        "w" | "week" | "weeks" => 7.0 * DAY_MS,
        "y" | "yr" | "yrs" | "year" | "years" => 365.25 * DAY_MS,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NR-43: a number is seconds, a text with a unit is what it says, digits as text are milliseconds.
    #[test]
    fn spans_are_read_as_the_library_reads_them() {
        let text = |text: &str| of(Some(&Json::Text(text.to_owned())));
        let number = |text: &str| of(Some(&Json::Number(text.to_owned())));
        assert_eq!(number("3600"), Span::Seconds(3600));
        assert_eq!(number("-5"), Span::Seconds(-5));
        assert_eq!(number("1.5"), Span::Invalid);
        assert_eq!(text("3600"), Span::Milliseconds(3));
        for (written, seconds) in
            [("1h", 3600), ("1.5 hours", 5400), ("2 DAYS", 172_800), ("-1m", -60), (".5y", 15_778_800)]
        {
            assert_eq!(text(written), Span::Seconds(seconds), "{written}");
        }
        for invalid in ["", "abc", "1.", "1 fortnight", "1h2", "h"] {
            assert_eq!(text(invalid), Span::Invalid, "{invalid}");
        }
        assert_eq!(of(None), Span::Absent);
    }
}
