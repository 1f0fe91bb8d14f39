//! Messages that are held back for a while: by time, by pace, or until others say so.

use crate::effect::Fault;
use crate::value::{Text, Value};

/// How an op holds messages back, and what in a message changes that.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldPlan {
    /// How they are held back.
    pub mode: HoldMode,
    /// What in a message gives orders.
    pub orders: HoldMembers,
    /// Raised on a message that there is no room for any more.
    pub overfull: Fault,
}

impl HoldPlan {
    /// Whether messages stand in one line, and leave their orders there.
    pub fn stands_in_line(&self) -> bool {
        match self.mode {
            HoldMode::Line { .. } | HoldMode::Topics { .. } => true,
            HoldMode::Each { .. } | HoldMode::Thin { .. } | HoldMode::Burst { .. } => false,
        }
    }
}

/// How messages are held back. Times are in milliseconds; one that is no positive number is none.
#[derive(Clone, Debug, PartialEq)]
pub enum HoldMode {
    /// Each waits by itself, somewhere between two times.
    Each {
        /// The shortest time.
        from_ms: f64,
        /// The longest time.
        to_ms: f64,
    },
    /// One goes on in each period; the others stand in line.
    Line {
        /// The period.
        every_ms: f64,
    },
    /// One goes on in each period; the others are turned aside.
    Thin {
        /// The period.
        every_ms: f64,
    },
    /// So many go on within a time; the others are turned aside.
    Burst {
        /// How many.
        most: f64,
        /// Within which time.
        within_ms: f64,
    },
    /// They stand in line with one place for each topic, which the last one keeps; the one before is turned aside.
    Topics {
        /// The period.
        every_ms: f64,
        /// Whether a period lets all of them go on, or one.
        all: bool,
    },
}

/// The members of a message that give orders; one that is none is never heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldMembers {
    /// Turns everything away that is held.
    pub empty: Text,
    /// Lets so many go on that are held; all of them, if it is no number.
    pub release: Text,
    /// The time that this message waits.
    pub wait: Option<Text>,
    /// The period from now on.
    pub pace: Option<Text>,
    /// If it is true, this message stands first in line.
    pub front: Text,
    /// The topic.
    pub topic: Text,
    /// What every message has: one that has nothing else beside its orders is not held itself.
    pub always: Text,
}

/// What one message orders at the op that holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HoldOrder {
    /// The time that it waits itself, if it says so, in milliseconds.
    pub wait_ms: Option<f64>,
    /// The period from now on, in milliseconds.
    pub pace_ms: Option<f64>,
    /// Everything that is held is turned away.
    pub empties: bool,
    /// How many of those that are held go on.
    pub releases: Option<u64>,
    /// It is a message of its own, and not only an order.
    pub says_more: bool,
    /// It stands first in line.
    pub front: bool,
    /// Its topic.
    pub topic: Value,
}

/// What becomes of a message that was held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It goes on.
    Through,
    /// It is turned aside.
    Aside,
    /// It ends here.
    Away,
}
