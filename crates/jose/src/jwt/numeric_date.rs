//! NumericDate (RFC 7519 section 2): seconds since 1970, whole or fractional, compared exactly.

/// Largest whole number of seconds: beyond it a double no longer counts every second.
pub const NUMERIC_DATE_SECS_MAX: u64 = (1 << 53) - 1;

const NANO_DIGITS: i64 = 9;

/// An instant, to the nanosecond, and whether something lies beyond that nanosecond.
///
/// Ordered exactly: no text is rounded on its way into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate {
    secs: u64,
    nanos: u32,
    beyond: bool,
}

impl NumericDate {
    /// Whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self { secs, nanos: 0, beyond: false }
    }

    /// Seconds and nanoseconds; from a billion on, nanoseconds count as 999 999 999.
    #[must_use]
    pub fn from_secs_and_nanos(secs: u64, nanos: u32) -> Self {
        Self { secs, nanos: nanos.min(999_999_999), beyond: false }
    }

    /// Reads the text of a JSON number; `None` if it is negative or above [`NUMERIC_DATE_SECS_MAX`].
    #[must_use]
    pub fn parse(number: &str) -> Option<Self> {
        let decimal = Decimal::split(number)?;
        let mut date = Self::from_secs(0);
        for (index, digit) in decimal.digits().enumerate() {
            let power = decimal.power.saturating_sub(i64::try_from(index).ok()?.saturating_add(1));
            date.add_digit(digit, power)?;
        }
        let limit = NUMERIC_DATE_SECS_MAX;
        let within = date.secs < limit || (date.secs == limit && date.nanos == 0 && !date.beyond);
        (within && (!decimal.negative || date == Self::from_secs(0))).then_some(date)
    }

    /// The whole seconds, the fraction cut off.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.secs
    }

    /// This many seconds later.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        Self { secs: self.secs.saturating_add(secs), ..self }
    }

    /// Adds `digit` times ten to the `power` seconds.
    fn add_digit(&mut self, digit: u8, power: i64) -> Option<()> {
        if digit == 0 {
            return Some(());
        }
        if power < -NANO_DIGITS {
            self.beyond = true;
        } else if power < 0 {
            let scale = 10_u32.pow(u32::try_from(power + NANO_DIGITS).ok()?);
            self.nanos += u32::from(digit) * scale;
        } else {
            let scale = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
            self.secs = self.secs.checked_add(u64::from(digit).checked_mul(scale)?)?;
        }
        Some(())
    }
}

/// A JSON number taken apart: its digits, and the power of ten of the place before the first.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    power: i64,
}

impl<'a> Decimal<'a> {
    fn split(number: &'a str) -> Option<Self> {
        let (negative, rest) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let decimal = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if whole.is_empty() || !decimal(whole) || !decimal(fraction) {
            return None;
        }
        let exponent = saturating_integer(exponent)?;
        let power = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
        Some(Self { negative, whole, fraction, power })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes()).map(|octet| octet - b'0')
    }
}

/// An exponent; one beyond 64 bits is as good as the largest.
fn saturating_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-48, JO-59: read and compared exactly, never through a double.
    #[test]
    fn texts_are_read_exactly() {
        let date = |text| NumericDate::parse(text);
        assert_eq!(date("0"), Some(NumericDate::from_secs(0)));
        assert_eq!(date("-0"), Some(NumericDate::from_secs(0)));
        assert_eq!(date("1700000000.5"), Some(NumericDate::from_secs_and_nanos(1_700_000_000, 500_000_000)));
        assert_eq!(date("17e8"), Some(NumericDate::from_secs(1_700_000_000)));
        assert_eq!(date("17000000005E-1"), date("1700000000.5"));
        assert_eq!(date("0.17e+10"), date("1700000000"));
        assert_eq!(date("9007199254740991"), Some(NumericDate::from_secs(NUMERIC_DATE_SECS_MAX)));
        for text in [
            "9007199254740991.1",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775808",
            "18446744073709551616",
            "1e308",
            "1e999",
            "1e99999999999999999999",
            "-1",
            "-0.5",
            "-1e-99999999999999999999",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn what_lies_beyond_a_nanosecond_still_counts() {
        let a = NumericDate::parse("5.0000000000000000000000001").unwrap();
        assert!(a > NumericDate::from_secs(5));
        assert!(a < NumericDate::from_secs_and_nanos(5, 1));
        assert!(NumericDate::parse("1e-99999999999999999999").unwrap() > NumericDate::from_secs(0));
        assert_eq!(NumericDate::parse("0e99999999999999999999"), Some(NumericDate::from_secs(0)));
    }
}
