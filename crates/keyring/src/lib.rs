//! Which key signs at an instant, which verify then, what comes next: arithmetic on rows, without a clock.

mod lifetime;
mod policy;
mod ring;
mod schedule;
mod set;
mod time;

pub use lifetime::{AskedExp, Expiry, ExpiryRefusal, NUMERIC_DATE_MAX, Signing};
pub use policy::{
    LEEWAY_MAX, OverLife, ROTATION_PERIOD_MAX, RingPolicy, Standby, StatementLimits, StorePolicy, Unsafe,
};
pub use ring::{BadRows, Event, EventKind, Generation, Phase, Ring, Use};
pub use schedule::{Haste, OVERDUE_AFTER};
pub use set::{KEYS_MAX, KeySet, RingKeys, VerifyOnly};
pub use time::{Span, Time};
