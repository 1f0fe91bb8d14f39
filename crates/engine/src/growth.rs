//! Keeps messages from growing without end where steps put a message into itself again and again.
//!
//! Copies share their subtrees, so a message of a few steps can stand for more values than memory could hold, or nest
//! deeper than a stack. Counting its values for every step would cost too much; so each delivery carries how often its
//! message may have doubled since it was last counted, and is counted when that is often enough to matter.

use plan::{Cells, Edit, Expr, Fault, FaultKind, Parts, Segment, ShapeStep, Turn, Value};

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
        self.counted(steps.iter().map(doublings).fold(self.0, u32::saturating_add), message, cells)
    }

    /// Takes in what these edits may have done to a message.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Oversized`] if it was time to count, and there was too much.
    pub(crate) fn after_edits(self, edits: &[Edit], message: &Value, cells: &Cells) -> Result<Self, Fault> {
        self.counted(edits.iter().map(edit_doublings).fold(self.0, u32::saturating_add), message, cells)
    }

    /// Counts a message that somebody outside had a hand in.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Oversized`] if there is too much.
    pub(crate) fn after_outside(self, message: &Value, cells: &Cells) -> Result<Self, Fault> {
        self.counted(u32::MAX, message, cells)
    }

    /// Takes in what one of these items may do to a message: they are counted at once.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Oversized`] if there is too much.
    pub(crate) fn after_items(self, items: &Value) -> Result<Self, Fault> {
        let counted = self.counted(u32::MAX, items, &Cells::default())?;
        Ok(Self(self.0.max(counted.0).saturating_add(1)))
    }

    fn counted(self, doublings: u32, message: &Value, cells: &Cells) -> Result<Self, Fault> {
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
        ShapeStep::Set(_, expr) | ShapeStep::SetPresent(_, expr) | ShapeStep::Place { value: expr, .. } => {
            doublings_of(reads(expr))
        }
        ShapeStep::Move(_, to) => u32::from(to.0.len() > 1),
        ShapeStep::Delete(_) | ShapeStep::Replace(_) | ShapeStep::Drop => 0,
    }
}

/// How often this edit may double the values of a message; an element far behind the end of its list counts as once.
fn edit_doublings(edit: &Edit) -> u32 {
    let leaves_gaps = |turn: &Turn| !matches!(turn, Turn::To(Segment::Key(_)));
    doublings_of(reads(&edit.value)).saturating_add(edit.to.way.0.iter().any(leaves_gaps).into())
}

fn doublings_of(reads: u32) -> u32 {
    if reads == 0 { 0 } else { u32::BITS - reads.leading_zeros() }
}

/// How many copies of parts of the message the value may hold.
fn reads(expr: &Expr) -> u32 {
    match expr {
        Expr::Literal(_)
        | Expr::Now
        | Expr::NowDate
        | Expr::NowText
        | Expr::FreshId
        | Expr::FreshUuid
        | Expr::Event(_)
        | Expr::Raise(_)
        | Expr::Rendered { .. } => 0,
        Expr::Message(_) | Expr::Slot(_) => 1,
        Expr::Replaced { of, find, with, .. } => {
            [of, find, with].into_iter().map(|part| reads(part)).fold(0, u32::saturating_add)
        }
        Expr::Rewritten { of, .. } => reads(of),
        // What was one text may be any number of values.
        Expr::Json { .. } | Expr::UncheckedClaims(_) | Expr::Applied { .. } | Expr::Evaluated { .. } => u32::MAX,
        Expr::Map(members) => members.iter().map(|(_, member)| reads(member)).fold(0, u32::saturating_add),
        Expr::List(items) => items.iter().map(reads).fold(0, u32::saturating_add),
        Expr::Choose { then, otherwise, .. } => reads(then).max(reads(otherwise)),
        Expr::AfterScheme { of, .. } | Expr::Before { of, .. } | Expr::Truthy(of) => reads(of),
        Expr::WithoutFirst { of, .. } | Expr::Require { of, .. } | Expr::Member { of, .. } => reads(of),
    }
}

/// Takes the values from the room that is left; false if there is not enough of it, or of levels.
fn takes(value: &Value, levels: usize, room: &mut usize) -> bool {
    let Some(left) = room.checked_sub(1) else { return false };
    *room = left;
    match value.parts() {
        Parts::List(items) => levels > 0 && items.iter().all(|item| takes(item, levels - 1, room)),
        Parts::Map(map) => levels > 0 && map.iter().all(|(_, member)| takes(member, levels - 1, room)),
        Parts::None => true,
    }
}
