//! Recognises function bodies that only shape data, so that they need no script.
//!
//! Whatever is recognised means exactly what JavaScript means by it, whatever message comes: what depends on the kind
//! of a value met on the way is left to the script when it is met ([`plan::Op::Shape`]), and what depends on anything
//! else is not recognised:
//!
//! * names that every object inherits, and `__proto__`, since a map here inherits nothing;
//! * names that look like an index, since objects list them first;
//! * writing below a member once any member has been copied, since both would be the same object;
//! * storing a value below itself, since that makes a circle;
//! * `_msgid`, which a function cannot change, and `req` and `res`, of which only the plain data of `req` may be read.

mod grammar;

use plan::{Expr, Path, Segment, ShapeStep};

use crate::tokens;

/// The longest body that is looked at.
const SOURCE_BYTES_MAX: usize = 64 * 1024;

/// What every object inherits (ECMA-262 sections 20.1.3 and B.2.2).
const INHERITED: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// Members of `req` that are data and nothing else.
const REQUEST_DATA: [&str; 13] = [
    "body",
    "cookies",
    "files",
    "headers",
    "hostname",
    "ip",
    "method",
    "originalUrl",
    "params",
    "path",
    "protocol",
    "query",
    "url",
];

/// The steps that a body stands for; none if it must be run as a script.
pub(super) fn recognise(source: &str) -> Option<Vec<ShapeStep>> {
    if source.len() > SOURCE_BYTES_MAX {
        return None;
    }
    let steps = grammar::parse(&tokens::split(source)?)?;
    let mut copied = false;
    for step in &steps {
        is_sound(step, copied).then_some(())?;
        copied |= matches!(step, ShapeStep::Set(_, value) if !paths(value).is_empty());
    }
    Some(steps)
}

/// Whether a step means to a tree what it means to objects, given whether a member was copied before.
fn is_sound(step: &ShapeStep, copied: bool) -> bool {
    match step {
        ShapeStep::Set(to, value) => {
            let read = paths(value);
            is_writable(to, copied)
                && names(value).iter().all(|name| is_plain(name))
                && read.iter().all(|path| is_readable(path) && !leads_below(path, to))
        }
        ShapeStep::Delete(at) => is_writable(at, copied),
        ShapeStep::Drop => true,
        ShapeStep::Place { .. } | ShapeStep::SetPresent(..) | ShapeStep::Move(..) | ShapeStep::Replace(_) => false,
    }
}

fn is_writable(path: &Path, copied: bool) -> bool {
    let first = keys(path).next().unwrap_or_default();
    let deep = path.0.len() > 1;
    keys(path).all(is_plain) && first != "_msgid" && !(deep && (copied || matches!(first, "req" | "res")))
}

fn is_readable(path: &Path) -> bool {
    let mut names = keys(path);
    let reachable = match names.next() {
        Some("req") => names.next().is_some_and(|name| REQUEST_DATA.contains(&name)),
        Some("res") | None => false,
        Some(_) => true,
    };
    reachable && keys(path).all(is_plain)
}

/// Whether `to` stands within what stands at `path`.
fn leads_below(path: &Path, to: &Path) -> bool {
    to.0.len() > path.0.len() && to.0.starts_with(&path.0)
}

/// Whether a name is one that only its own object can have, in the order in which it was added.
fn is_plain(name: &str) -> bool {
    let index_like = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_digit());
    !index_like && !INHERITED.contains(&name)
}

fn keys(path: &Path) -> impl Iterator<Item = &str> {
    path.0.iter().map(|segment| match segment {
        Segment::Key(name) => &**name,
        Segment::Index(_) => "0",
    })
}

/// The paths that a value reads.
fn paths(value: &Expr) -> Vec<&Path> {
    match value {
        Expr::Message(path) => vec![path],
        Expr::Map(members) => members.iter().flat_map(|(_, member)| paths(member)).collect(),
        Expr::List(items) => items.iter().flat_map(paths).collect(),
        Expr::Literal(_)
        | Expr::WithoutFirst { .. }
        | Expr::Require { .. }
        | Expr::Member { .. }
        | Expr::Truthy(_)
        | Expr::Choose { .. }
        | Expr::AfterScheme { .. }
        | Expr::Before { .. }
        | Expr::UncheckedClaims(_)
        | Expr::Now
        | Expr::Event(_)
        | Expr::NowDate
        | Expr::NowText
        | Expr::FreshId
        | Expr::Slot(_)
        | Expr::Raise(_)
        | Expr::Replaced { .. }
        | Expr::Rewritten { .. }
        | Expr::Rendered { .. }
        | Expr::FreshUuid
        | Expr::Json { .. }
        | Expr::Evaluated { .. }
        | Expr::Applied { .. } => Vec::new(),
    }
}

/// The names of the members that a value is built with, at any depth.
fn names(value: &Expr) -> Vec<&str> {
    match value {
        Expr::Map(members) => {
            members.iter().flat_map(|(name, member)| names(member).into_iter().chain([&**name])).collect()
        }
        Expr::List(items) => items.iter().flat_map(names).collect(),
        Expr::Literal(literal) => literal_names(literal),
        Expr::Message(_)
        | Expr::WithoutFirst { .. }
        | Expr::Require { .. }
        | Expr::Member { .. }
        | Expr::Truthy(_)
        | Expr::Choose { .. }
        | Expr::AfterScheme { .. }
        | Expr::Before { .. }
        | Expr::UncheckedClaims(_)
        | Expr::Now
        | Expr::Event(_)
        | Expr::NowDate
        | Expr::NowText
        | Expr::FreshId
        | Expr::Slot(_)
        | Expr::Raise(_)
        | Expr::Replaced { .. }
        | Expr::Rewritten { .. }
        | Expr::Rendered { .. }
        | Expr::FreshUuid
        | Expr::Json { .. }
        | Expr::Evaluated { .. }
        | Expr::Applied { .. } => Vec::new(),
    }
}

fn literal_names(value: &plan::Value) -> Vec<&str> {
    if let plan::Value::List(items) = value {
        return items.iter().flat_map(literal_names).collect();
    }
    let members = value.as_map().into_iter().flat_map(plan::Map::iter);
    members.flat_map(|(name, member)| literal_names(member).into_iter().chain([&**name])).collect()
}
