//! What an expression is worth for one message.

use plan::{Cells, EventField, Expr, Fault, Path, Text, Value};

use crate::events::Event;

/// What an expression may look at.
pub(crate) struct Scope<'s> {
    pub(crate) message: &'s Value,
    pub(crate) cells: &'s Cells,
    pub(crate) event: Option<&'s Event<'s>>,
    pub(crate) now_epoch_ms: i64,
}

impl Scope<'_> {
    /// The value of the expression.
    ///
    /// # Errors
    ///
    /// The fault of an [`Expr::Require`] that does not hold.
    pub(crate) fn eval(&self, expr: &Expr) -> Result<Value, Fault> {
        Ok(match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Message(path) => path.read(self.message, self.cells).clone(),
            Expr::Map(members) => self.map(members)?,
            Expr::List(items) => Value::list(items.iter().map(|item| self.eval(item)).collect::<Result<_, _>>()?),
            Expr::WithoutFirst { cut, of } => without_first(&self.eval(of)?, cut),
            Expr::Require { of, fault } => {
                let value = self.eval(of)?;
                if matches!(value, Value::Undefined | Value::Null) {
                    return Err((**fault).clone());
                }
                value
            }
            Expr::Member { of, path } => path.read(&self.eval(of)?, self.cells).clone(),
            Expr::Now => Value::integer(self.now_epoch_ms),
            Expr::Event(field) => self.event.map_or(Value::Undefined, |event| event.field(*field)),
        })
    }

    fn map(&self, members: &[(Text, Expr)]) -> Result<Value, Fault> {
        let mut map = plan::Map::new();
        for (name, member) in members {
            map.insert(name.clone(), self.eval(member)?);
        }
        Ok(map.into())
    }
}

impl Event<'_> {
    fn field(&self, field: EventField) -> Value {
        let of_fault = |read: fn(&Fault) -> Value| self.fault.map_or(Value::Undefined, read);
        match field {
            EventField::Message => of_fault(|fault| Value::Text(fault.message.clone())),
            EventField::Code => of_fault(|fault| optional(fault.code.as_ref())),
            EventField::Stack => of_fault(|fault| optional(fault.stack.as_ref())),
            EventField::Cause => of_fault(|fault| fault.cause.clone()),
            EventField::Thrown => of_fault(|fault| fault.thrown.clone()),
            EventField::Status => self.status.cloned().unwrap_or_default(),
            EventField::SourceId => Value::Text(self.source.id.clone()),
            EventField::SourceType => Value::Text(self.source.kind.clone()),
            EventField::SourceName => optional(Some(&self.source.name).filter(|name| !name.is_empty())),
            EventField::SourceCount => Value::integer(i64::from(self.count)),
        }
    }
}

/// Whether every value on the way to the end of the path, the end itself left out, is a plain map.
pub(crate) fn leads_through_maps(path: &Path, message: &Value, cells: &Cells) -> bool {
    let mut at = message;
    for segment in path.0.iter() {
        let base = if let Value::Handle(handle) = at { cells.get(*handle) } else { at };
        let (Value::Map(map), plan::Segment::Key(name)) = (base, segment) else { return false };
        at = map.get(name).unwrap_or(&Value::Undefined);
    }
    true
}

fn optional(text: Option<&Text>) -> Value {
    text.map_or(Value::Undefined, |text| Value::Text(text.clone()))
}

fn without_first(value: &Value, cut: &str) -> Value {
    match value.as_text() {
        Some(text) => match text.split_once(cut) {
            Some(("", after)) => Value::text(after),
            Some((before, after)) => Value::Text(format!("{before}{after}").into()),
            None => value.clone(),
        },
        None => Value::Undefined,
    }
}
