//! Edits: values are read, made and written one after the other, in the message and in variables of the document.

use plan::{Ask, AskId, Cells, Edit, Expr, Flow, LogLevel, Parts, Path, Root, Value, Variable, look};

use crate::eval::Scope;
use crate::render::{template_of, variable_of};
use crate::work::{Delivery, Stage, Told, Work};

/// How deep values are looked through for handles.
const DETACH_DEPTH_MAX: usize = 200;

/// Takes the edits that are left, until one of them must ask.
pub(crate) fn go_on(
    flow: &Flow,
    work: &mut Work,
    mut delivery: Delivery,
    edits: &[Edit],
    mut stage: Stage,
) -> Option<(AskId, Ask)> {
    while let Some(edit) = edits.get(stage.done) {
        if let Some(wish) = work.wanted(&delivery.message, &stage, std::iter::once(&edit.value)) {
            return work.seek(delivery, stage, wish);
        }
        match work.unevaluated(&delivery.message, &stage, std::iter::once(&edit.value)) {
            Ok(None) => {}
            Ok(Some(wish)) => return work.seek(delivery, stage, wish),
            Err(fault) => {
                work.raise(flow, delivery, fault);
                return None;
            }
        }
        let scope = work.scope_with(&delivery.message, &stage);
        if !can_be_read(&edit.value, &scope) {
            stage = Stage { done: stage.done + 1, ..Stage::default() };
            continue;
        }
        let value = scope.eval(&edit.value);
        let value = match value.and_then(|value| work.count_text(&value).map(|()| value)) {
            Ok(value) => value,
            Err(fault) => {
                work.raise(flow, delivery, fault);
                return None;
            }
        };
        stage = Stage { done: stage.done + 1, ..Stage::default() };
        if let Some(ask) = put(work, &mut delivery, edit, value) {
            return Some(work.ask_at(delivery, ask, stage));
        }
    }
    match delivery.lineage.growth.after_edits(edits, &delivery.message, &work.cells) {
        Ok(growth) => {
            delivery.lineage.growth = growth;
            work.forward(flow, delivery, 0);
        }
        Err(fault) => work.raise(flow, delivery, fault),
    }
    None
}

/// The variables that the expression reads for this message.
pub(crate) fn variables(expr: &Expr, scope: &Scope<'_>) -> Vec<Variable> {
    let mut slots = Vec::new();
    expr.slots(&mut slots);
    let variable = |slot: &plan::Slot| match &slot.root {
        Root::Message => None,
        Root::Cell(of) => Some(Variable { scope: of.clone(), path: slot.way.resolve(scope.message, scope.cells)? }),
    };
    let mut found: Vec<Variable> = slots.into_iter().filter_map(variable).collect();
    let mut rendered = expr;
    while let Some(of) = inner(rendered) {
        rendered = of;
    }
    if let Expr::Rendered { template, variables, .. } = rendered
        && let Ok(template) = template_of(scope, template)
    {
        found.extend(template.names().into_iter().filter_map(|name| variable_of(name, variables)));
    }
    found
}

/// What a conversion converts.
fn inner(expr: &Expr) -> Option<&Expr> {
    if let Expr::Json { of, .. } = expr {
        return Some(of);
    }
    if let Expr::Applied { to, .. } = expr { to.first() } else { None }
}

/// Whether everything that the expression reads from the message stands in something that can have members.
fn can_be_read(expr: &Expr, scope: &Scope<'_>) -> bool {
    let mut slots = Vec::new();
    expr.slots(&mut slots);
    slots.into_iter().filter(|slot| slot.root == Root::Message).all(|slot| {
        let path = slot.way.resolve(scope.message, scope.cells);
        let holder = path.and_then(|path| Some(Path(path.0.split_last()?.1.into())));
        holder
            .is_some_and(|holder| !matches!(look(scope.message, &holder, scope.cells), Value::Undefined | Value::Null))
    })
}

/// Puts the value into its place; what must be asked for that comes back. A place that the message does not lead to
/// stays as it is.
fn put(work: &mut Work, delivery: &mut Delivery, edit: &Edit, value: Value) -> Option<Ask> {
    let path = edit.to.way.resolve(&delivery.message, &work.cells).filter(|path| !path.is_empty())?;
    if let Root::Cell(scope) = &edit.to.root {
        let value = detached(&value, &work.cells, DETACH_DEPTH_MAX);
        return Some(Ask::Write(Variable { scope: scope.clone(), path }, value));
    }
    if value.is_undefined() {
        path.remove(&mut delivery.message, &mut work.cells);
    } else if !path.write(&mut delivery.message, &mut work.cells, value) {
        let names: Vec<_> = path.0.iter().map(plan::Segment::name).collect();
        let text = format!("The message has no place for {}.", names.join("."));
        work.told.push_back(Told::Log { node: delivery.to, level: LogLevel::Warn, value: Value::Text(text.into()) });
    }
    None
}

/// The value with every handle replaced by what its cell holds now, since handles mean nothing beyond the run.
fn detached(value: &Value, cells: &Cells, levels: usize) -> Value {
    if levels == 0 {
        return Value::Undefined;
    }
    let inner = |value: &Value| detached(value, cells, levels - 1);
    if let Value::Handle(handle) = value {
        return inner(cells.get(*handle));
    }
    match value.parts() {
        Parts::List(items) => Value::list(items.iter().map(inner).collect()),
        Parts::Map(map) => Value::map(map.iter().map(|(name, member)| (name, inner(member)))),
        Parts::None => value.clone(),
    }
}
