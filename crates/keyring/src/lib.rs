//! Which key signs at an instant, which verify then, what comes next: arithmetic on rows, without a clock.

mod policy;
mod ring;
mod time;

pub use policy::{LEEWAY_MAX, ROTATION_PERIOD_MAX, RingPolicy, StatementLimits, StorePolicy, Unsafe};
pub use ring::{BadRows, Event, EventKind, Generation, Phase, Ring, Use};
pub use time::{Span, Time};
