//! What an expression is worth for one message.

use jose::json::Limits;
use plan::ecmascript::is_truthy;
use plan::{
    Cells, Date, EventField, Expr, Fault, FaultKind, JsonRules, JsonWay, Path, Root, Slot, Text, Unwritable, Value,
    Variable, look, read_json, write_json,
};

use crate::events::Event;
use crate::moment::Moment;
use crate::render::render;
use crate::replace::{replaced, rewritten};
use crate::work::Sought;

/// What an expression may look at.
pub(crate) struct Scope<'s> {
    pub(crate) message: &'s Value,
    pub(crate) cells: &'s Cells,
    pub(crate) event: Option<&'s Event<'s>>,
    pub(crate) moment: &'s Moment,
    /// What was asked for this message.
    pub(crate) fetched: &'s [(Sought, Value)],
}

impl Scope<'_> {
    /// The value of the expression.
    ///
    /// # Errors
    ///
    /// The fault of an [`Expr::Require`] that does not hold, of an [`Expr::Raise`], or of a value that does not fit.
    pub(crate) fn eval(&self, expr: &Expr) -> Result<Value, Fault> {
        Ok(match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Message(path) => path.read(self.message, self.cells).clone(),
            Expr::Map(members) => self.map(members)?,
            Expr::List(items) => Value::list(self.all(items)?),
            Expr::WithoutFirst { cut, of } => without_first(&self.eval(of)?, cut),
            Expr::Require { of, fault } => {
                let value = self.eval(of)?;
                if matches!(value, Value::Undefined | Value::Null) {
                    return Err((**fault).clone());
                }
                value
            }
            Expr::Member { of, path } => path.read(&self.eval(of)?, self.cells).clone(),
            Expr::Truthy(of) => Some(self.eval(of)?).filter(is_truthy).unwrap_or_default(),
            Expr::Choose { present, then, otherwise } => {
                self.eval(if self.eval(present)?.is_undefined() { otherwise } else { then })?
            }
            Expr::AfterScheme { schemes, of } => self.after_scheme(schemes, of)?,
            Expr::Before { cut, of } => before(&self.eval(of)?, cut),
            Expr::UncheckedClaims(of) => self.eval(of)?.as_text().and_then(unchecked_claims).unwrap_or(Value::Null),
            Expr::Now => Value::integer(self.moment.now_epoch_ms()),
            Expr::NowDate => Value::Date(self.date()),
            Expr::NowText => self.date().to_iso_text().map_or(Value::Undefined, |text| Value::Text(text.into())),
            Expr::FreshId => Value::Text(self.moment.fresh_id()),
            Expr::Slot(slot) => self.slot(slot),
            Expr::Raise(fault) => return Err((**fault).clone()),
            Expr::Replaced { of, find, also, with } => {
                replaced(self.eval(of)?, &self.eval(find)?, also.as_ref(), self.eval(with)?)?
            }
            Expr::Rewritten { of, find, with } => rewritten(self.eval(of)?, find, &self.eval(with)?)?,
            Expr::Rendered { template, constants, variables, json_texts } => {
                render(self, template, constants, variables, *json_texts)?
            }
            Expr::Json { of, way, indent } => json(self.eval(of)?, *way, *indent)?,
            Expr::Applied { function, to } => {
                (function.run)(&to.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?)?
            }
            Expr::FreshUuid => Value::Text(self.moment.fresh_uuid()),
            Expr::Evaluated { expression, .. } => self.learnt(&Sought::Expression(*expression)),
            Expr::Event(field) => self.event.map_or(Value::Undefined, |event| event.field(*field)),
        })
    }

    /// What a variable held when it was read for this message.
    pub(crate) fn variable(&self, variable: &Variable) -> Value {
        self.learnt(&Sought::Variable(variable.clone()))
    }

    fn learnt(&self, sought: &Sought) -> Value {
        let read = self.fetched.iter().find(|(of, _)| of == sought);
        read.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn all(&self, exprs: &[Expr]) -> Result<Vec<Value>, Fault> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn date(&self) -> Date {
        Date { epoch_ms: self.moment.now_epoch_ms() as f64 }
    }

    fn slot(&self, slot: &Slot) -> Value {
        let Some(path) = slot.way.resolve(self.message, self.cells) else { return Value::Undefined };
        match &slot.root {
            Root::Message => look(self.message, &path, self.cells),
            Root::Cell(scope) => self.variable(&Variable { scope: scope.clone(), path }),
        }
    }

    fn after_scheme(&self, schemes: &[Expr], of: &Expr) -> Result<Value, Fault> {
        let text = self.eval(of)?;
        let parts = text.as_text().and_then(|text| text.split_once(' ')).filter(|(_, rest)| !rest.contains(' '));
        let Some((scheme, rest)) = parts else { return Ok(Value::Undefined) };
        for known in schemes {
            if self.eval(known)?.as_text() == Some(scheme) {
                return Ok(Value::text(rest));
            }
        }
        Ok(Value::Undefined)
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
            EventField::Kind => of_fault(|fault| Value::text(fault.kind.name())),
            EventField::Stack => of_fault(|fault| optional(fault.stack.as_ref())),
            EventField::Cause => of_fault(|fault| fault.cause.clone()),
            EventField::Thrown => of_fault(|fault| fault.thrown.clone()),
            EventField::Instant => self.instant.map_or(Value::Undefined, Value::Date),
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

/// The claims of a compact JWS, its signature left alone.
fn unchecked_claims(token: &str) -> Option<Value> {
    jose::peek(token).ok().filter(|peeked| peeked.layer == jose::Layer::Signed)?;
    let payload = jose::base64url::decode(token.split('.').nth(1)?).ok()?;
    read_json(&payload, Limits::REQUEST, JsonRules::Ecmascript).ok()
}

fn before(value: &Value, cut: &str) -> Value {
    match value.as_text() {
        Some(text) => text.split_once(cut).map_or_else(|| value.clone(), |(before, _)| Value::text(before)),
        None => Value::Undefined,
    }
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

fn json(value: Value, way: JsonWay, indent: u8) -> Result<Value, Fault> {
    let read = |octets: &[u8]| {
        read_json(octets, Limits::REQUEST, JsonRules::Ecmascript)
            .map_err(|error| Fault::new(FaultKind::ValueUnfit, format!("The text is not JSON: {error}.")))
    };
    match (&value, way) {
        (Value::Undefined, _) => Ok(value),
        (Value::Text(text), JsonWay::Toggle | JsonWay::Read) => read(text.as_bytes()),
        (Value::Bytes(octets), JsonWay::Toggle | JsonWay::Read) => read(octets),
        (_, JsonWay::Read) | (Value::Text(_), JsonWay::Write) => Ok(value),
        (Value::Bytes(_), JsonWay::Write) => Err(Fault::new(FaultKind::ValueUnfit, "Octets are not written as JSON.")),
        (_, JsonWay::Toggle | JsonWay::Write) => written(&value, indent),
    }
}

fn written(value: &Value, indent: u8) -> Result<Value, Fault> {
    let mut out = Vec::new();
    let some = write_json(&mut out, value).map_err(|why| match why {
        Unwritable::Circular => {
            Fault::new(FaultKind::Circular, "The value contains itself and cannot be written as JSON.")
        }
        Unwritable::BigInteger => {
            Fault::new(FaultKind::BigInteger, "The value holds a BigInt, which JSON cannot hold.")
        }
    })?;
    if !some {
        return Err(Fault::new(FaultKind::ValueUnfit, "A function is not written as JSON."));
    }
    let text = String::from_utf8(out).expect("the writer writes UTF-8");
    Ok(Value::Text(if indent == 0 { text } else { indented(&text, indent.into()) }.into()))
}

/// JSON without blanks, broken into lines as `JSON.stringify` does with an indent.
fn indented(json: &str, indent: usize) -> String {
    let (mut out, mut depth, mut in_text, mut escaped) = (String::new(), 0, false, false);
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        let breaks = |out: &mut String, depth: usize| out.extend(["\n", &" ".repeat(depth * indent)]);
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(end) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    breaks(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                breaks(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                breaks(&mut out, depth);
            }
            ':' => out.push_str(": "),
            other => {
                in_text = other == '"';
                out.push(other);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_broken_into_lines() {
        let text = indented(r#"{"b":"{\"x:,","a":[2,{}],"c":[]}"#, 4);
        assert_eq!(text, "{\n    \"b\": \"{\\\"x:,\",\n    \"a\": [\n        2,\n        {}\n    ],\n    \"c\": []\n}");
    }
}
