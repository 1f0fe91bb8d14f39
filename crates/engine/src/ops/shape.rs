//! Changing a message by steps: leniently for the dialect's own steps, strictly where they stand for a script.

use plan::{Cells, Expr, Fault, Path, ShapeStep, Value};

use crate::eval::{Scope, leads_through_maps};
use crate::events::Event;
use crate::moment::Moment;

/// Whether a message goes on after its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    On,
    Dropped,
}

/// What came of steps that stand for a script.
pub(crate) enum Shaped {
    /// The changed message.
    On(Value),
    /// The message as it was when the last step ended it.
    Dropped(Value),
    /// A step would not do what the script does. The message and the cells are as they were.
    Untouched(Value),
}

/// Takes the steps in order, making what is missing on the way. A step whose way leads through something that has no
/// members changes nothing.
///
/// # Errors
///
/// The fault of a requirement that does not hold; the steps before it stay taken.
pub(crate) fn assign(
    steps: &[ShapeStep],
    message: &mut Value,
    cells: &mut Cells,
    event: Option<&Event<'_>>,
    moment: &Moment,
) -> Result<Fate, Fault> {
    for step in steps {
        if take(step, message, cells, event, moment)? == Fate::Dropped {
            return Ok(Fate::Dropped);
        }
    }
    Ok(Fate::On)
}

/// Takes the steps if each does exactly what the script does that they were read from.
pub(crate) fn shape(steps: &[ShapeStep], mut message: Value, cells: &mut Cells, moment: &Moment) -> Shaped {
    let kept = (!steps.iter().all(is_shallow)).then(|| (message.clone(), cells.clone()));
    for step in steps {
        let fate = if step_is_plain(step, &message, cells) {
            take(step, &mut message, cells, None, moment).ok()
        } else {
            None
        };
        match fate {
            Some(Fate::On) => {}
            Some(Fate::Dropped) => return Shaped::Dropped(message),
            None => {
                // Shallow steps can only fail before the first of them has changed anything.
                let Some((message, kept_cells)) = kept else { return Shaped::Untouched(message) };
                *cells = kept_cells;
                return Shaped::Untouched(message);
            }
        }
    }
    Shaped::On(message)
}

fn take(
    step: &ShapeStep,
    message: &mut Value,
    cells: &mut Cells,
    event: Option<&Event<'_>>,
    moment: &Moment,
) -> Result<Fate, Fault> {
    match step {
        ShapeStep::Set(to, expr) => {
            let value = Scope { message, cells, event, moment, fetched: &[] }.eval(expr)?;
            to.write(message, cells, value);
        }
        ShapeStep::Place { to, value, otherwise } => {
            let value = Scope { message, cells, event, moment, fetched: &[] }.eval(value)?;
            if !to.write(message, cells, value) {
                return Err((**otherwise).clone());
            }
        }
        ShapeStep::SetPresent(to, expr) => {
            let value = Scope { message, cells, event, moment, fetched: &[] }.eval(expr)?;
            if !value.is_undefined() {
                to.write(message, cells, value);
            }
        }
        ShapeStep::Move(from, to) => {
            let value = from.remove(message, cells);
            if !value.is_undefined() {
                to.write(message, cells, value);
            }
        }
        ShapeStep::Delete(at) => {
            at.remove(message, cells);
        }
        ShapeStep::Replace(value) => *message = value.clone(),
        ShapeStep::Drop => return Ok(Fate::Dropped),
    }
    Ok(Fate::On)
}

/// Whether the step looks and writes at most one member deep, and leaves a map a map.
fn is_shallow(step: &ShapeStep) -> bool {
    match step {
        ShapeStep::Set(to, expr) | ShapeStep::SetPresent(to, expr) => is_member(to) && all_paths(expr, &is_member),
        ShapeStep::Move(from, to) => is_member(from) && is_member(to),
        ShapeStep::Delete(at) => is_member(at),
        // A place can be missing behind steps that were taken.
        ShapeStep::Place { .. } | ShapeStep::Replace(_) => false,
        ShapeStep::Drop => true,
    }
}

fn is_member(path: &Path) -> bool {
    matches!(&*path.0, [plan::Segment::Key(_)])
}

/// Whether every value that the step goes through is a plain map.
fn step_is_plain(step: &ShapeStep, message: &Value, cells: &Cells) -> bool {
    let plain = |path: &Path| leads_through_maps(path, message, cells);
    match step {
        ShapeStep::Set(to, expr) | ShapeStep::SetPresent(to, expr) => plain(to) && all_paths(expr, &plain),
        ShapeStep::Move(from, to) => plain(from) && plain(to),
        ShapeStep::Delete(at) => plain(at),
        // What has no place for the value, or whose value cannot be worked out, says so itself.
        ShapeStep::Place { .. } | ShapeStep::Replace(_) | ShapeStep::Drop => true,
    }
}

/// Whether `holds` is true of every path into the message, and nothing in the expression can fail or looks deeper.
fn all_paths(expr: &Expr, holds: &impl Fn(&Path) -> bool) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Now => true,
        Expr::Message(path) => holds(path),
        Expr::Map(members) => members.iter().all(|(_, member)| all_paths(member, holds)),
        Expr::List(items) => items.iter().all(|item| all_paths(item, holds)),
        Expr::WithoutFirst { .. }
        | Expr::Require { .. }
        | Expr::Member { .. }
        | Expr::Event(_)
        | Expr::Truthy(_)
        | Expr::Choose { .. }
        | Expr::AfterScheme { .. }
        | Expr::Before { .. }
        | Expr::UncheckedClaims(_)
        | Expr::NowDate
        | Expr::FreshId
        | Expr::NowText
        | Expr::Slot(_)
        | Expr::Raise(_)
        | Expr::Replaced { .. }
        | Expr::Rewritten { .. }
        | Expr::Rendered { .. }
        | Expr::FreshUuid
        | Expr::Json { .. }
        | Expr::Evaluated { .. }
        | Expr::Applied { .. } => false,
    }
}
