//! Texts with references to variables: `{{path}}` (contract section 6).

use plan::{Expr, Fault, FaultKind, Function, Path, Segment, Value, write_json};

use super::who::Who;

/// What becomes of the parts of a text: texts as they are, all else as compact JSON.
pub(super) const FILLED: Function = Function { name: "filled", run: filled };
/// The most references that one text may hold.
const REFERENCES_MAX: usize = 1_000;

/// A text of an author, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    /// The field it stands in, as the contract's tables name it.
    field: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Reference(Reference),
}

/// A reference to a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reference {
    /// As its author writes it, without blanks at its ends.
    pub(crate) written: String,
    /// Where it leads in the message.
    pub(crate) path: Path,
}

impl Template {
    /// Reads the text of a field.
    ///
    /// # Errors
    /// Which reference cannot be read, as a sentence.
    pub(crate) fn new(text: &str, field: impl Into<String>) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find("{{") {
            if let Some(before) = rest[..at].strip_suffix('\\') {
                plain.push_str(before);
                plain.push_str("{{");
                rest = &rest[at + 2..];
                continue;
            }
            let (reference, behind) = Reference::read(&rest[at..])?;
            plain.push_str(&rest[..at]);
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Reference(reference));
            if parts.len() > 2 * REFERENCES_MAX {
                return Err(format!("The text holds more than {REFERENCES_MAX} references."));
            }
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts, field: field.into() })
    }

    /// The text, if it refers to nothing.
    pub(crate) fn as_plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            [Part::Reference(_)] | [_, _, ..] => None,
        }
    }

    /// The one reference that it is, if it is one.
    pub(crate) fn as_reference(&self) -> Option<&Reference> {
        if let [Part::Reference(reference)] = self.parts.as_slice() { Some(reference) } else { None }
    }

    /// The value: of the one reference that it is, with its type; otherwise text. A variable that is not set is a fault.
    pub(crate) fn expr(&self, who: &Who) -> Expr {
        let value = |part: &Part| match part {
            Part::Text(text) => Expr::Literal(Value::text(text)),
            Part::Reference(reference) => reference.required(who, &self.field),
        };
        match self.parts.as_slice() {
            [] => Expr::Literal(Value::text("")),
            [part] => value(part),
            parts => Expr::Applied { function: FILLED, to: parts.iter().map(value).collect() },
        }
    }

    /// The value as text, even if it is one reference alone.
    pub(crate) fn expr_in_text(&self, who: &Who) -> Expr {
        Expr::Applied { function: FILLED, to: vec![self.expr(who)] }
    }
}

impl Reference {
    /// Reads the reference that a text begins with; gives what is behind it.
    ///
    /// # Errors
    /// Why it is none, as a sentence.
    pub(crate) fn read(text: &str) -> Result<(Self, &str), String> {
        let inner = text.strip_prefix("{{").ok_or("A reference begins with `{{`.")?;
        let (written, behind) =
            inner.split_once("}}").ok_or("A `{{` has no `}}` behind it; write `\\{{` for the text.")?;
        let written = written.trim();
        let path = path(written).ok_or_else(|| {
            format!("`{{{{{written}}}}}` is no reference: names are joined by dots, and `[n]` picks an element.")
        })?;
        Ok((Self { written: written.to_owned(), path }, behind))
    }

    fn required(&self, who: &Who, field: &str) -> Expr {
        let of = Box::new(Expr::Message(self.path.clone()));
        Expr::Require { of, fault: Box::new(self.missing(who, field)) }
    }

    /// The value, which may be `null`.
    pub(crate) fn set(&self, who: &Who, field: &str) -> Expr {
        let value = Box::new(Expr::Message(self.path.clone()));
        let otherwise = Box::new(Expr::Raise(Box::new(self.missing(who, field))));
        Expr::Choose { present: value.clone(), then: value, otherwise }
    }

    fn missing(&self, who: &Who, field: &str) -> Fault {
        let message = format!("{field}: variable \"{}\" is not set", self.written);
        who.fault(FaultKind::ValueUnfit, "variable.missing", field, &message)
    }
}

/// Names joined by dots, each with indices behind it.
fn path(written: &str) -> Option<Path> {
    let mut segments = Vec::new();
    for step in written.split('.') {
        let (name, indices) = step.split_at(step.find('[').unwrap_or(step.len()));
        let is_name = |c: char| !c.is_whitespace() && !c.is_control() && !"{}[].".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        segments.push(Segment::Key(name.into()));
        let mut rest = indices;
        while !rest.is_empty() {
            let (index, behind) = rest.strip_prefix('[')?.split_once(']')?;
            let is_index = !index.is_empty() && index.bytes().all(|digit| digit.is_ascii_digit());
            segments.push(Segment::Index(index.parse().ok().filter(|_| is_index)?));
            rest = behind;
        }
    }
    Some(Path(segments.into()))
}

/// A value as part of a text: texts as they are, all else as compact JSON.
pub(crate) fn shown(value: &Value) -> Result<String, Fault> {
    if let Value::Text(text) = value {
        return Ok(text.to_string());
    }
    let mut out = Vec::new();
    match write_json(&mut out, value) {
        Ok(true) => Ok(String::from_utf8(out).expect("the writer writes UTF-8")),
        Ok(false) | Err(_) => Err(Fault::new(FaultKind::ValueUnfit, "a variable holds what JSON cannot")),
    }
}

fn filled(parts: &[Value]) -> Result<Value, Fault> {
    let texts = parts.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::Text(texts.concat().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Template, String> {
        Template::new(text, "f")
    }

    #[test]
    fn references_are_names_joined_by_dots() {
        let template = read("x-{{ user.roles[0].name }}-{{b}}").unwrap();
        let [Part::Text(_), Part::Reference(first), Part::Text(_), Part::Reference(_)] = template.parts.as_slice()
        else {
            panic!("{template:?}")
        };
        assert_eq!((first.written.as_str(), first.path.0.len()), ("user.roles[0].name", 4));
        for bad in
            ["{{}}", "{{a b}}", "{{a", "{{a..b}}", "{{a[x]}}", "{{a[+1]}}", "{{a[1}}", "{{.a}}", "{{a[99999999999]}}"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read("{{jeton_é}}").is_ok());
    }

    #[test]
    fn a_backslash_keeps_braces() {
        let template = read("a\\{{b}} \\{{").unwrap();
        assert_eq!(template.as_plain(), Some("a{{b}} {{"));
        assert_eq!(read("").unwrap().as_plain(), Some(""));
        assert_eq!(read("{{a}}").unwrap().as_plain(), None);
    }

    #[test]
    fn values_become_text_as_compact_json() {
        let parts = [Value::text("x-"), Value::integer(7), Value::list(vec![Value::Null]), Value::Bool(true)];
        assert_eq!(filled(&parts), Ok(Value::text("x-7[null]true")));
    }
}
