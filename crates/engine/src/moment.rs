//! What a run knows of the moment: the instant, and what fresh ids are made of.

use std::cell::Cell;

use plan::Text;

use crate::Context;

/// The step of the sequence that fresh ids are mixed from: an odd number, so that it comes round only after 2^64 ids.
const ID_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The moment, as the last context told it.
#[derive(Debug)]
pub(crate) struct Moment {
    now_epoch_ms: i64,
    /// Two halves, so that what is mixed from them has as many random bits as a UUID holds.
    ids: Cell<(u64, u64)>,
}

impl Default for Moment {
    /// The halves start one step apart, so that two that are alike still give different numbers.
    fn default() -> Self {
        Self { now_epoch_ms: 0, ids: Cell::new((0, ID_STEP)) }
    }
}

impl Moment {
    /// Takes a new context in.
    pub(crate) fn pass_to(&mut self, context: &Context) {
        self.now_epoch_ms = context.now_epoch_ms;
        let (high, low) = self.ids.get();
        let (more_high, more_low) = ((context.random >> 64) as u64, context.random as u64);
        self.ids.set((high.wrapping_add(more_high), low.wrapping_add(more_low)));
    }

    /// The instant, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn now_epoch_ms(&self) -> i64 {
        self.now_epoch_ms
    }

    /// A new UUID of version 4 (RFC 9562 section 5.4), in small letters.
    pub(crate) fn fresh_uuid(&self) -> Text {
        let (high, low) = self.drawn();
        let (high, low) = (high & !0xf000 | 0x4000, low & (u64::MAX >> 2) | 1 << 63);
        let parts = (high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff);
        format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", parts.0, parts.1, parts.2, parts.3, parts.4).into()
    }

    /// A new text of 16 hexadecimal digits.
    pub(crate) fn fresh_id(&self) -> Text {
        format!("{:016x}", self.drawn().1).into()
    }

    fn drawn(&self) -> (u64, u64) {
        let (high, low) = self.ids.get();
        let drawn = (high.wrapping_add(ID_STEP), low.wrapping_add(ID_STEP));
        self.ids.set(drawn);
        (mixed(drawn.0), mixed(drawn.1))
    }
}

/// Spreads every bit over the whole number; no two numbers come out alike (the finalizer of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// AC-19 (part): small letters, version 4, variant 10, and another one each time.
    #[test]
    fn uuids_are_of_version_four() {
        let moment = Moment::default();
        let (one, other) = (moment.fresh_uuid(), moment.fresh_uuid());
        assert_ne!(one, other);
        for uuid in [one, other] {
            let parts: Vec<&str> = uuid.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uuid}");
            assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
            assert_eq!(*uuid, uuid.to_lowercase());
        }
    }

    /// Both halves of the randomness reach a UUID: neither can be guessed from the other.
    #[test]
    fn a_uuid_is_made_of_all_that_was_drawn() {
        let uuid = |random: u128| {
            let mut moment = Moment::default();
            moment.pass_to(&Context { now_epoch_ms: 0, random });
            moment.fresh_uuid().to_string()
        };
        let (one, low, high) = (uuid(5), uuid(6), uuid(5 | 1 << 64));
        assert_eq!((&one[..18], &one[19..]), (&low[..18], &high[19..]));
        assert_ne!(one[19..], low[19..]);
        assert_ne!(one[..18], high[..18]);
    }

    #[test]
    fn ids_are_sixteen_digits_and_never_alike() {
        let mut moment = Moment::default();
        let mut seen = BTreeSet::new();
        for random in [7, 8, 9] {
            moment.pass_to(&Context { now_epoch_ms: 0, random });
            for _ in 0..1000 {
                let id = moment.fresh_id();
                assert!(id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
                assert!(seen.insert(id));
            }
        }
    }
}
