//! Instants and durations as they are typed.

use std::str::FromStr;

use jiff::Timestamp;

/// What counts as now: the system's clock, or the one instant of `--now`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Option<i64>);

impl Clock {
    /// The clock, or `now` seen from it.
    pub(crate) fn new(now: Option<TimeArgument>) -> Self {
        Self(now.map(|instant| instant.epoch_secs(Timestamp::now().as_second())))
    }

    /// Whether it stands at an instant that was named.
    pub(crate) fn is_set(self) -> bool {
        self.0.is_some()
    }

    /// Seconds since 1970.
    pub(crate) fn now_secs(self) -> i64 {
        self.0.unwrap_or_else(|| Timestamp::now().as_second())
    }
}

/// An instant as typed: seconds since 1970, RFC 3339, or `+15m` from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeArgument {
    /// Seconds since 1970-01-01T00:00:00Z.
    Epoch(i64),
    /// Seconds from now.
    FromNow(i64),
}

/// A duration as typed: a number and `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurationArgument {
    /// Whole seconds, 0 or more.
    pub(crate) secs: i64,
}

impl TimeArgument {
    /// The instant in seconds since 1970, seen from `now_secs`.
    pub(crate) fn epoch_secs(self, now_secs: i64) -> i64 {
        match self {
            Self::Epoch(secs) => secs,
            Self::FromNow(secs) => now_secs.saturating_add(secs),
        }
    }
}

impl FromStr for TimeArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(ahead) = text.strip_prefix('+') {
            return Ok(Self::FromNow(ahead.parse::<DurationArgument>()?.secs));
        }
        if let Ok(secs) = text.parse::<i64>() {
            return Ok(Self::Epoch(secs));
        }
        text.parse::<Timestamp>()
            .map(|instant| Self::Epoch(instant.as_second()))
            .map_err(|_| "write seconds since 1970, an RFC 3339 time such as 2030-01-31T12:00:00Z, or +15m".to_owned())
    }
}

impl FromStr for DurationArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a whole number and s, m, h or d, such as 90s, 15m, 1h or 7d".to_owned();
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (count, unit) = text.split_at(unit_at);
        let unit_secs = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let count: i64 = count.parse().map_err(|_| wrong())?;
        count.checked_mul(unit_secs).map(|secs| Self { secs }).ok_or_else(wrong)
    }
}

/// How far an instant is from now, in words: `in 42 min`, `3 h ago`.
pub(crate) fn in_words(epoch_secs: i64, now_secs: i64) -> String {
    let distance = epoch_secs.saturating_sub(now_secs);
    let magnitude = distance.unsigned_abs();
    let (count, unit) = match magnitude {
        0..60 => (magnitude, "s"),
        60..3_600 => (magnitude / 60, "min"),
        3_600..86_400 => (magnitude / 3_600, "h"),
        86_400..31_536_000 => (magnitude / 86_400, "d"),
        _ => (magnitude / 31_536_000, "y"),
    };
    if distance >= 0 { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
}

/// The instant in UTC, as RFC 3339; none beyond the year 9999.
pub(crate) fn in_utc(epoch_secs: i64) -> Option<String> {
    Timestamp::from_second(epoch_secs).ok().map(|instant| instant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_three_forms() {
        assert_eq!("1700000000".parse(), Ok(TimeArgument::Epoch(1_700_000_000)));
        assert_eq!("2023-11-14T22:13:20Z".parse(), Ok(TimeArgument::Epoch(1_700_000_000)));
        assert_eq!("+15m".parse(), Ok(TimeArgument::FromNow(900)));
        assert!("tomorrow".parse::<TimeArgument>().is_err());
    }

    #[test]
    fn durations_need_a_unit_and_fit_64_bits() {
        assert_eq!("7d".parse(), Ok(DurationArgument { secs: 604_800 }));
        for wrong in ["", "90", "h", "1w", "-1s", "1.5h", "9223372036854775807d"] {
            assert!(wrong.parse::<DurationArgument>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn distances_are_told_in_words() {
        assert_eq!(in_words(42 * 60, 0), "in 42 min");
        assert_eq!(in_words(0, 3 * 3_600), "3 h ago");
        assert_eq!(in_utc(1_700_000_000).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(in_utc(i64::MAX), None);
    }
}
