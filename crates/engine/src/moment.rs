//! What a run knows of the moment: the instant, and what fresh ids are made of.

use std::cell::Cell;

use plan::Text;

use crate::Context;

/// The step of the sequence that fresh ids are mixed from: an odd number, so that it comes round only after 2^64 ids.
const ID_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The moment, as the last context told it.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    now_epoch_ms: i64,
    ids: Cell<u64>,
}

impl Moment {
    /// Takes a new context in.
    pub(crate) fn pass_to(&mut self, context: &Context) {
        self.now_epoch_ms = context.now_epoch_ms;
        self.ids.set(self.ids.get().wrapping_add(context.random));
    }

    /// The instant, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn now_epoch_ms(&self) -> i64 {
        self.now_epoch_ms
    }

    /// A new text of 16 hexadecimal digits.
    pub(crate) fn fresh_id(&self) -> Text {
        let drawn = self.ids.get().wrapping_add(ID_STEP);
        self.ids.set(drawn);
        format!("{:016x}", mixed(drawn)).into()
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
