//! Points in time that come back: schedules in the form of crontab, in UTC.

use std::fmt;

use croner::Cron;
use croner::parser::CronParser;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Most characters of a schedule.
const CHARS_MAX: usize = 256;

/// A schedule in the form of crontab: minute, hour, day of the month, month and day of the week, perhaps with a second
/// before and a year behind them. All of them are those of UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar(Box<Cron>);

impl Calendar {
    /// Reads a schedule.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > CHARS_MAX {
            return Err(format!("it has more than {CHARS_MAX} characters"));
        }
        let parser = CronParser::new();
        parser.parse(text).map(|cron| Self(Box::new(cron))).map_err(|error| error.to_string())
    }

    /// The first point in time after this one, both in milliseconds of Unix time; none if there is none.
    pub fn next_after(&self, epoch_ms: i64) -> Option<i64> {
        let civil = Timestamp::from_millisecond(epoch_ms).ok()?.to_zoned(TimeZone::UTC).datetime();
        let next = self.0.find_next_occurrence(&civil, false).ok()?;
        Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The three points in time that follow one, as text.
    fn after(schedule: &str, start: &str) -> Vec<String> {
        let calendar = Calendar::parse(schedule).unwrap();
        let start: Timestamp = start.parse().unwrap();
        let next = |ms: &i64| calendar.next_after(*ms);
        let all = std::iter::successors(next(&start.as_millisecond()), next).take(3);
        all.map(|ms| Timestamp::from_millisecond(ms).unwrap().to_string()).collect()
    }

    #[test]
    fn points_in_time_follow_each_other() {
        let start = "2026-02-27T23:59:59.999Z";
        let hourly = ["2026-02-28T00:00:00Z", "2026-02-28T01:00:00Z", "2026-02-28T02:00:00Z"];
        assert_eq!(after("0 * * * *", start), hourly);
        let workdays = ["2026-03-02T08:30:00Z", "2026-03-03T08:30:00Z", "2026-03-04T08:30:00Z"];
        assert_eq!(after("30 8 * * 1-5", start), workdays);
        let seconds = ["2026-02-28T00:00:00Z", "2026-02-28T00:00:20Z", "2026-02-28T00:00:40Z"];
        assert_eq!(after("*/20 * * * * *", start), seconds);
        let leap = ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"];
        assert_eq!(after("0 0 29 2 *", start), leap);
        assert_eq!(after("0 * * * *", "2026-02-28T00:00:00Z")[0], "2026-02-28T01:00:00Z");
    }

    #[test]
    fn what_is_no_schedule_or_never_comes_is_told() {
        for refused in ["", "x", "60 * * * *", "* * * *", "0 25 * * *", "a b c d e", &"0,".repeat(200)] {
            assert!(Calendar::parse(refused).is_err(), "{refused}");
        }
        assert!(after("0 0 30 2 *", "2026-01-01T00:00:00Z").is_empty());
    }
}
