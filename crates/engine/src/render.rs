//! Fills templates in.

use plan::ecmascript::{is_truthy, property, text_of};
use plan::{Fault, FaultKind, Path, Piece, Segment, Template, TemplateSource, Text, Value, Variable, look};

use crate::eval::Scope;
use crate::{TEMPLATE_STEPS_MAX, TEXT_BYTES_MAX};

/// The filled-in template.
///
/// # Errors
///
/// The message brings a template that is none, or the result is too large.
pub(crate) fn render(
    scope: &Scope<'_>,
    source: &TemplateSource,
    constants: &Value,
    variables: &[(Text, plan::Scope)],
    json_texts: bool,
) -> Result<Value, Fault> {
    let template = template_of(scope, source)?;
    let contexts = vec![scope.message.clone()];
    let mut renderer = Renderer {
        scope,
        constants,
        variables,
        json_texts,
        contexts,
        out: String::new(),
        steps_left: TEMPLATE_STEPS_MAX,
    };
    renderer.all(&template.pieces)?;
    Ok(Value::Text(renderer.out.into()))
}

/// The template that is filled in for this message.
///
/// # Errors
///
/// The message brings one that is none.
pub(crate) fn template_of(scope: &Scope<'_>, source: &TemplateSource) -> Result<Template, Fault> {
    let unfit = |text: String| Fault::new(FaultKind::ValueUnfit, text);
    match source {
        TemplateSource::Ready(template) => Ok(template.clone()),
        TemplateSource::Message(path) => {
            let brought = look(scope.message, path, scope.cells);
            if let Value::Text(text) = &brought {
                return Template::parse(text).map_err(|error| unfit(error.to_string()));
            }
            if brought.is_undefined() {
                return Ok(Template::default());
            }
            Err(unfit(format!("The template of the message is no text: {}", text_of(&brought))))
        }
    }
}

/// The variable that a name of the form `prefix.way` or `prefix[store].way` stands for; there is one store.
pub(crate) fn variable_of(name: &str, variables: &[(Text, plan::Scope)]) -> Option<Variable> {
    variables.iter().find_map(|(prefix, scope)| {
        let rest = name.strip_prefix(&**prefix)?;
        let rest = rest.strip_prefix('[').and_then(|store| store.split_once(']')).map_or(rest, |(_, rest)| rest);
        let path = Path(rest.strip_prefix('.')?.split('.').flat_map(segments).collect());
        Some(Variable { scope: scope.clone(), path })
    })
}

/// A name between dots, and the indexes in brackets behind it.
fn segments(name: &str) -> impl Iterator<Item = Segment> {
    let index = |piece: &str| piece.strip_suffix(']')?.parse().ok().map(Segment::Index);
    name.split('[').map(move |piece| index(piece).unwrap_or_else(|| Segment::Key(piece.into())))
}

struct Renderer<'r> {
    scope: &'r Scope<'r>,
    constants: &'r Value,
    variables: &'r [(Text, plan::Scope)],
    json_texts: bool,
    /// The message, then what the sections around the current piece stand for.
    contexts: Vec<Value>,
    out: String,
    steps_left: u32,
}

impl Renderer<'_> {
    fn all(&mut self, pieces: &[Piece]) -> Result<(), Fault> {
        for piece in pieces {
            self.steps_left = self.steps_left.checked_sub(1).ok_or_else(too_large)?;
            match piece {
                Piece::Text(text) => self.out.push_str(text),
                Piece::Name { name, escaped } => self.name(name, *escaped),
                Piece::Section { name, inverted, pieces } => self.section(name, *inverted, pieces)?,
            }
            if self.out.len() > TEXT_BYTES_MAX {
                return Err(too_large());
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &str, escaped: bool) {
        let value = self.lookup(name);
        if matches!(value, Value::Undefined | Value::Null) {
            return;
        }
        let text = text_of(&value);
        if escaped { escape(&mut self.out, &text) } else { self.out.push_str(&text) }
    }

    fn section(&mut self, name: &str, inverted: bool, pieces: &[Piece]) -> Result<(), Fault> {
        let value = self.lookup(name);
        let empty = !is_truthy(&value) || matches!(&value, Value::List(items) if items.is_empty());
        if inverted || empty {
            return if inverted && empty { self.all(pieces) } else { Ok(()) };
        }
        if let Value::List(items) = &value {
            return items.iter().try_for_each(|item| self.within(item.clone(), pieces));
        }
        if matches!(value, Value::Bool(_)) { self.all(pieces) } else { self.within(value, pieces) }
    }

    fn within(&mut self, context: Value, pieces: &[Piece]) -> Result<(), Fault> {
        self.contexts.push(context);
        let done = self.all(pieces);
        self.contexts.pop();
        done
    }

    /// What a name stands for: in the nearest context that knows it, among the constants, or as a variable.
    fn lookup(&self, name: &str) -> Value {
        let path = Path(name.split('.').map(|name| Segment::Key(name.into())).collect());
        let known = match name {
            "." => self.contexts.last().cloned().unwrap_or_default(),
            _ => self.contexts.iter().rev().find_map(|context| self.member(context, &path)).unwrap_or_default(),
        };
        if known.is_undefined() {
            return self.beyond(name, &path);
        }
        match known.as_text().filter(|_| self.json_texts) {
            Some(text) => Value::Text(json_text(text).into()),
            None => known,
        }
    }

    fn beyond(&self, name: &str, path: &Path) -> Value {
        let constant = look(self.constants, path, self.scope.cells);
        match variable_of(name, self.variables) {
            Some(variable) if constant.is_undefined() => self.scope.variable(&variable),
            Some(_) | None => constant,
        }
    }

    /// What stands in the context at the end of the path; none if the context does not know it.
    fn member(&self, context: &Value, path: &Path) -> Option<Value> {
        let (last, way) = path.0.split_last()?;
        let mut at = context.clone();
        for segment in way {
            at = property(&at, segment, self.scope.cells);
        }
        let at = if let Value::Handle(handle) = &at { self.scope.cells.get(*handle) } else { &at };
        let known = match (at, last) {
            (Value::Map(map), Segment::Key(name)) => map.get(name).is_some(),
            // Texts only know their length behind a dot.
            (Value::Text(_), _) if way.is_empty() => false,
            (at, last) => !property(at, last, self.scope.cells).is_undefined(),
        };
        known.then(|| property(at, last, self.scope.cells))
    }
}

fn too_large() -> Fault {
    Fault::new(FaultKind::Oversized, "the template is filled in with more than it may hold")
}

/// Writes the characters that mean something in HTML as references.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '/' => out.push_str("&#x2F;"),
            '`' => out.push_str("&#x60;"),
            '=' => out.push_str("&#x3D;"),
            other => out.push(other),
        }
    }
}

/// Control characters and backslashes as a JSON text holds them. Quotes stay: the template's author minds them.
fn json_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            other => out.push(other),
        }
    }
    out
}
