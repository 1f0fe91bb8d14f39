//! Delivers messages through a valid flow and asks for what it may not do itself.
//!
//! A [`Run`] is the life of one trigger's message. Whoever drives it calls [`Run::step`] until the run rests: each step
//! hands out one ask, tells one thing for the log, or says that the run waits for answers. Answers go back in through
//! [`Run::answer`], in any order. What the deliveries mean is written at the door of the crate `plan`.

mod eval;
mod events;
mod growth;
mod moment;
mod ops;
mod render;
mod replace;
mod run;
mod work;

pub use ops::issue::{claims_alone, retimed};
pub use run::{Context, Misfit, Run, Step};
pub use work::Told;

/// Deliveries that a run may make before it has waited for something: one more ends it as endless.
pub const DELIVERIES_UNWAITED_MAX: u32 = 200_000;
/// How long an answer must have been waited for, in milliseconds, to count as waiting.
pub const WAIT_MS_MIN: i64 = 100;
/// Deliveries that may stand in line at once: one more ends the run as endless.
pub const DELIVERIES_QUEUED_MAX: usize = 100_000;
/// Asks that may be open at once: further messages are delivered when one of them is answered.
pub const ASKS_OPEN_MAX: usize = 1_024;
/// Values that a message and the cells of its run may hold together: with more it goes no further.
pub const VALUES_MAX: usize = 100_000;
/// How deep lists and maps in a message may stand in each other.
pub const VALUE_DEPTH_MAX: usize = 200;
/// Which fault of one node in a row, on what one message led to, is dropped.
pub const FAULTS_IN_A_ROW_MAX: u32 = 10;
/// The longest text that an expression may make, in octets.
pub const TEXT_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Octets of text that the edits of one run may make together.
pub const TEXT_BYTES_MADE_MAX: usize = 256 * 1_024 * 1_024;
/// Pieces of templates that may be written for one message.
pub const TEMPLATE_STEPS_MAX: u32 = 1_000_000;
