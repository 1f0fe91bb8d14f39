//! Names of context variables: how a name leads into the message, and how `$(name)` in a text becomes a value (section 5).

use std::collections::{BTreeMap, BTreeSet};

use plan::{Expr, Path, Segment, Text, Value};

use super::syntax::Gateway;
use super::values::joined_of;

/// Roots whose members are named without regard to capitals.
const HEADERS: [[&str; 2]; 2] = [["request", "headers"], ["message", "headers"]];

/// What names may mean in one definition.
pub(super) struct Names {
    pub(super) gateway: Gateway,
    /// The API's properties, but for secrets.
    pub(super) properties: BTreeMap<Text, Value>,
    /// The properties whose values are secrets: a request finds them among those of `api`.
    pub(super) sealed: BTreeSet<Text>,
}

/// The way that a name leads through the context.
pub(super) fn path(name: &str) -> Path {
    let mut segments = segments(name);
    let keys: Vec<&str> = segments.iter().filter_map(key).collect();
    if keys.len() == segments.len() && keys.len() > 2 && HEADERS.iter().any(|root| keys[..2] == *root) {
        // Everything behind the root is one header's name: dots and all.
        let header = keys[2..].join(".").to_ascii_lowercase();
        segments.truncate(2);
        segments.push(Segment::Key(header.into()));
    }
    match keys_of(&segments).as_slice() {
        ["message", "statusCode"] => Path::keys(["message", "status", "code"]),
        ["message", "status", "reason"] | ["message", "statusReason"] => Path::keys(["message", "status", "reason"]),
        _ => Path(segments.into()),
    }
}

fn keys_of(segments: &[Segment]) -> Vec<&str> {
    segments.iter().filter_map(key).collect()
}

fn key(segment: &Segment) -> Option<&str> {
    if let Segment::Key(key) = segment { Some(key) } else { None }
}

/// Splits at dots and brackets: `a.b[0]['c.d']`.
fn segments(name: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[')
            && let Some((inside, behind)) = inner.split_once(']')
        {
            let bare = inside.trim_matches(['\'', '"']);
            found.push(match inside.parse::<u32>() {
                Ok(index) => Segment::Index(index),
                Err(_) => Segment::Key(bare.into()),
            });
            rest = behind.strip_prefix('.').unwrap_or(behind);
            continue;
        }
        // A bracket that opens a step ends the one before; one that leads it is part of a name that never closes.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '.' || *c == '[').map_or(rest.len(), |(at, _)| at);
        found.push(Segment::Key(rest[..end].into()));
        rest = &rest[end..];
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    found
}

impl Names {
    /// The variable of that name: a context variable, else a property of the API.
    pub(super) fn variable(&self, name: &str) -> Expr {
        let name = bare(name);
        let read = self.read(name);
        let sealed = || self.sealed.get(name).map(|name| Expr::Message(Path::keys(["api", "properties", name])));
        let property = self.properties.get(name).map(|value| Expr::Literal(value.clone())).or_else(sealed);
        match property {
            Some(property) => {
                let otherwise = Box::new(property);
                Expr::Choose { present: Box::new(read.clone()), then: Box::new(read), otherwise }
            }
            None => read,
        }
    }

    fn read(&self, name: &str) -> Expr {
        let path = path(name);
        let keys = keys_of(&path.0);
        let read = Expr::Message(path.clone());
        // A parameter is an object on the API gateway; wherever a text is wanted, its first value is meant.
        if self.gateway == Gateway::Api && keys.len() == 3 && keys[..2] == ["request", "parameters"] {
            let value = [Segment::Key("values".into()), Segment::Index(0)];
            return Expr::Message(Path(path.0.iter().cloned().chain(value).collect()));
        }
        read
    }

    /// A text in which `$(name)` stands for values. A text that is nothing but one keeps the value's type.
    pub(super) fn text(&self, text: &str) -> Expr {
        if let Some(name) = whole(text) {
            return self.variable(name);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, name, behind)) = next(rest) {
            if !before.is_empty() {
                parts.push(Expr::Literal(Value::text(before)));
            }
            parts.push(self.variable(name));
            rest = behind;
        }
        if parts.is_empty() {
            return Expr::Literal(Value::text(text));
        }
        if !rest.is_empty() {
            parts.push(Expr::Literal(Value::text(rest)));
        }
        joined_of(parts)
    }
}

/// The name in a text that is nothing but `$(name)`.
pub(super) fn whole(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("$(")?.strip_suffix(')')?;
    (!inner.contains(['(', ')'])).then_some(inner)
}

/// A name, `$( )` around it left away.
fn bare(name: &str) -> &str {
    whole(name.trim()).unwrap_or(name.trim())
}

/// The first `$(name)` in a text, with what stands before and behind it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("$(")?;
    let (name, behind) = rest.split_once(')')?;
    Some((before, name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &Path) -> String {
        let step = |segment: &Segment| match segment {
            Segment::Key(key) => format!("/{key}"),
            Segment::Index(index) => format!("#{index}"),
        };
        path.0.iter().map(step).collect()
    }

    #[test]
    fn a_name_leads_by_dots_and_brackets() {
        for (name, way) in [
            ("iss.claim", "/iss/claim"),
            ("my-set.keys[0]", "/my-set/keys#0"),
            ("request.headers['Content-Type']", "/request/headers/content-type"),
            ("request.headers.X-A.b", "/request/headers/x-a.b"),
            ("message.headers.Authorization", "/message/headers/authorization"),
            ("message.statusCode", "/message/status/code"),
            ("a[\"b.c\"].d", "/a/b.c/d"),
            ("[odd", "/[odd"),
            ("", ""),
        ] {
            assert_eq!(shown(&path(name)), way, "{name}");
        }
    }

    /// AC-44 (part): a property may stand behind `$(name)`; a text around keeps no type, a whole one does.
    #[test]
    fn a_reference_is_a_variable_and_else_a_property() {
        let properties = [("p".into(), Value::text("v"))].into();
        let names = Names { gateway: Gateway::V5, properties, sealed: BTreeSet::default() };
        assert!(matches!(names.text("$(p)"), Expr::Choose { .. }));
        assert_eq!(names.text("$(x)"), Expr::Message(Path::keys(["x"])));
        assert_eq!(names.variable("$(x)"), names.variable("x"));
        assert_eq!(names.text("plain $ ("), Expr::Literal(Value::text("plain $ (")));
        let Expr::Applied { to: parts, .. } = names.text("a$(x)b$(y)") else { panic!("joined") };
        assert_eq!(parts.len(), 4);
    }
}
