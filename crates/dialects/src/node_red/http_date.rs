//! Dates as HTTP writes them, for cookies.

use plan::Date;

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
    fn a_date_is_written_as_imf_fixdate_or_not_at_all() {
        assert_eq!(http_date(Date { epoch_ms: 1.0 }).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(http_date(Date { epoch_ms: f64::NAN }), None);
    }
}
