//! Keeps messages from growing without end where steps put a message into itself again and again.
//!
//! Copies share their subtrees, so a message of a few steps can stand for more values than memory could hold, or nest
//! deeper than a stack. Counting its values for every step would cost too much; so each delivery carries how often its
//! message may have doubled since it was last counted, and is counted when that is often enough to matter.

use plan::{Cells, Expr, Fault, FaultKind, ShapeStep, Value};

use crate::{VALUE_DEPTH_MAX, VALUES_MAX};

/// How often the values of a message may double, or nest, before they are counted.
const DOUBLINGS_MAX: u32 = 6;
/// What an uncounted message is taken to hold.
const VALUES_USUAL: usize = 1_000;

/// How often a message may have doubled since its values were last counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Growth(u32);

impl Growth {
    /// Takes in what these steps may have done to a message.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Oversized`] if it was time to count, and there was too much.
    pub(crate) fn after(self, steps: &[ShapeStep], message: &Value, cells: &Cells) -> Result<Self, Fault> {
        let doublings = steps.iter().map(doublings).fold(self.0, u32::saturating_add);
        if doublings <= DOUBLINGS_MAX {
            return Ok(Self(doublings));
        }
        let mut room = VALUES_MAX;
        let fits = std::iter::once(message).chain(cells.iter()).all(|value| takes(value, VALUE_DEPTH_MAX, &mut room));
        if !fits {
            return Err(Fault::new(
                FaultKind::Oversized,
                format!("more than {VALUES_MAX} values, or {VALUE_DEPTH_MAX} levels"),
            ));
        }
        Ok(Self(((VALUES_MAX - room) / VALUES_USUAL).max(1).ilog2()))
    }
}

/// How often this step may double the values of a message; nesting it counts as once.
fn doublings(step: &ShapeStep) -> u32 {
    match step {
        ShapeStep::Set(_, expr) | ShapeStep::SetPresent(_, expr) => match reads(expr) {
            0 => 0,
            reads => u32::BITS - reads.leading_zeros(),
        },
        ShapeStep::Move(_, to) => u32::from(to.0.len() > 1),
        ShapeStep::Delete(_) | ShapeStep::Replace(_) | ShapeStep::Drop => 0,
    }
}

/// How many copies of parts of the message the value may hold.
fn reads(expr: &Expr) -> u32 {
    match expr {
        Expr::Literal(_) | Expr::Now | Expr::Event(_) => 0,
        Expr::Message(_) => 1,
        Expr::Map(members) => members.iter().map(|(_, member)| reads(member)).fold(0, u32::saturating_add),
        Expr::List(items) => items.iter().map(reads).fold(0, u32::saturating_add),
        Expr::WithoutFirst { of, .. } | Expr::Require { of, .. } | Expr::Member { of, .. } => reads(of),
    }
}

/// Takes the values from the room that is left; false if there is not enough of it, or of levels.
fn takes(value: &Value, levels: usize, room: &mut usize) -> bool {
    let Some(left) = room.checked_sub(1) else { return false };
    *room = left;
    match value {
        Value::List(items) => levels > 0 && items.iter().all(|item| takes(item, levels - 1, room)),
        Value::Map(map) => levels > 0 && map.iter().all(|(_, member)| takes(member, levels - 1, room)),
        Value::Undefined
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => true,
    }
}
