//! Where a value comes from, in words.

use dialects::minting::{ClaimType, Symbol};
use plan::{Path, Segment, Value};

/// The longest constant that is shown whole, in characters.
const CONSTANT_CHARS_MAX: usize = 200;

/// What kind of source it is: one of a few fixed names.
pub(super) fn kind(symbol: &Symbol) -> &'static str {
    match symbol {
        Symbol::Known(Value::Undefined) => "nothing",
        _ if symbol.value().is_some() => "constant",
        Symbol::Sent(_) => "variable",
        Symbol::Now => "clock",
        Symbol::Fresh => "random",
        Symbol::Typed(_, inner) | Symbol::Required(inner) => kind(inner),
        Symbol::Known(_)
        | Symbol::Map(_)
        | Symbol::List(_)
        | Symbol::Token(..)
        | Symbol::Joined(_)
        | Symbol::Made(..)
        | Symbol::Any(_) => "mixed",
    }
}

/// The same as a person reads it.
pub(super) fn text(symbol: &Symbol) -> String {
    let all = |parts: &[Symbol], between: &str| parts.iter().map(text).collect::<Vec<_>>().join(between);
    match symbol {
        Symbol::Known(Value::Undefined) => "nothing".to_owned(),
        Symbol::Known(value) => shortened(&json(value)),
        Symbol::Sent(path) => format!("the variable {}", variable(path)),
        Symbol::Map(members) => {
            let shown = members.own().map(|(name, member)| format!("{name}: {}", text(member)));
            format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
        }
        Symbol::List(items) => format!("[{}]", all(items, ", ")),
        Symbol::Now => "the clock".to_owned(),
        Symbol::Fresh => "random".to_owned(),
        Symbol::Token(..) => "a token".to_owned(),
        Symbol::Joined(parts) => format!("the text of {}", all(parts, " and ")),
        Symbol::Typed(kind, inner) => format!("{} as {}", text(inner), type_name(*kind)),
        Symbol::Required(inner) => text(inner),
        Symbol::Made(by, of) if of.is_empty() => by.to_string(),
        Symbol::Made(by, of) => format!("{by} of {}", all(of, " and ")),
        Symbol::Any(choices) => all(choices, " or "),
    }
}

/// The variables that it is made of, each once.
pub(super) fn variables(symbol: &Symbol) -> Vec<String> {
    let mut found = Vec::new();
    symbol.each_part(&mut |part| {
        if let Symbol::Sent(path) = part {
            let name = variable(path);
            found.extend((!found.contains(&name)).then_some(name));
        }
    });
    found
}

/// The value as JSON text.
pub(super) fn json(value: &Value) -> String {
    let mut out = Vec::new();
    match plan::write_json(&mut out, value) {
        Ok(true) => String::from_utf8_lossy(&out).into_owned(),
        Ok(false) | Err(_) => "null".to_owned(),
    }
}

/// A path by its names and indices.
fn variable(path: &Path) -> String {
    let mut shown = String::new();
    for segment in path.0.iter() {
        match segment {
            Segment::Key(name) if shown.is_empty() => shown.push_str(name),
            Segment::Key(name) => shown.extend([".", name]),
            Segment::Index(index) => shown.push_str(&format!("[{index}]")),
        }
    }
    shown
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CONSTANT_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CONSTANT_CHARS_MAX).chain(['…']).collect()
}

fn type_name(kind: ClaimType) -> &'static str {
    match kind {
        ClaimType::Text => "text",
        ClaimType::Number => "number",
        ClaimType::Boolean => "boolean",
        ClaimType::List => "array",
        ClaimType::Map => "object",
    }
}
