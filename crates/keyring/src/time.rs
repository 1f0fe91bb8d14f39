//! Instants and spans of the database clock, in microseconds.

use std::ops::{Add, Sub};

/// An instant of the database clock: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A length of time in microseconds, negative only as the difference of two instants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Time {
    /// Later than everything that happens: the end of what has no end.
    pub const NEVER: Self = Self(i64::MAX);

    /// So many microseconds after 1970 began.
    pub const fn from_us(us: i64) -> Self {
        Self(us)
    }

    /// Microseconds since 1970 began.
    pub const fn as_us(self) -> i64 {
        self.0
    }

    /// The last whole second that is not later, since 1970 began: a NumericDate (RFC 7519 section 2).
    pub const fn whole_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many microseconds.
    pub const fn from_us(us: i64) -> Self {
        Self(us)
    }

    /// So many seconds; the longest span there is if they are more.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds in it.
    pub const fn as_us(self) -> i64 {
        self.0
    }

    /// So many of it, end to end.
    #[must_use]
    pub const fn times(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// A whole fraction of it, rounded down.
    ///
    /// # Panics
    /// If `parts` is zero.
    #[must_use]
    pub const fn divided_by(self, parts: i64) -> Self {
        Self(self.0 / parts)
    }
}

/// Saturating: what lies beyond the end of time is [`Time::NEVER`].
impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// [`Time::NEVER`] stays never.
impl Sub<Span> for Time {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        if self == Self::NEVER { self } else { Self(self.0.saturating_sub(span.0)) }
    }
}

impl Sub for Time {
    type Output = Span;

    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_stays_never() {
        assert_eq!(Time::NEVER + Span::from_secs(1), Time::NEVER);
        assert_eq!(Time::NEVER - Span::from_secs(1), Time::NEVER);
        assert_eq!(Time::from_us(1) + Span::from_secs(i64::MAX), Time::NEVER);
    }

    #[test]
    fn a_numeric_date_is_never_ahead() {
        assert_eq!(Time::from_us(1_999_999).whole_secs(), 1);
        assert_eq!(Time::from_us(-1).whole_secs(), -1);
    }
}
