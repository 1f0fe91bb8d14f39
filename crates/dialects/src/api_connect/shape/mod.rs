//! Recognises scripts that only move literals and variables, so that they need no worker.
//!
//! What is recognised means what JavaScript means by it over the surface; what depends on a value that is met on the way is
//! left to the script when it is met ([`plan::Op::Shape`]), and what depends on anything else is not recognised:
//!
//! * names with numbers in them, or that lists and objects have by themselves;
//! * a value that was read before something above or below it was written;
//! * writing below a value that was copied, since both would be the same object.

mod grammar;
mod text;

use plan::{Expr, Path, Segment, ShapeStep};

use super::name::Names;
use crate::tokens;

/// The longest script that is looked at.
const SOURCE_BYTES_MAX: usize = 64 * 1024;

/// The steps that a script stands for; none if it must be run.
pub(super) fn recognise(source: &str, names: &Names) -> Option<Vec<ShapeStep>> {
    if source.len() > SOURCE_BYTES_MAX {
        return None;
    }
    let steps = grammar::parse(&tokens::split(source)?, names)?;
    let mut copied: Vec<Path> = Vec::new();
    for step in &steps {
        let (to, value) = written(step)?;
        let read = value.map(reads).unwrap_or_default();
        let is_below_copy = copied.iter().any(|copy| is_below(to, copy));
        let makes_circle = read.iter().any(|path| is_below(to, path));
        if is_below_copy || makes_circle || !is_plain(to) || !read.iter().all(|path| is_plain(path)) {
            return None;
        }
        if !read.is_empty() {
            copied.push(to.clone());
            copied.extend(read.into_iter().cloned());
        }
    }
    Some(steps)
}

/// Where a step of a script writes, and what.
fn written(step: &ShapeStep) -> Option<(&Path, Option<&Expr>)> {
    match step {
        ShapeStep::Place { to, value, .. } => Some((to, Some(value))),
        ShapeStep::Delete(at) => Some((at, None)),
        ShapeStep::Set(..)
        | ShapeStep::SetPresent(..)
        | ShapeStep::Move(..)
        | ShapeStep::Replace(_)
        | ShapeStep::Drop => None,
    }
}

/// Whether `path` leads to a part of what stands at `of`.
fn is_below(path: &Path, of: &Path) -> bool {
    path.0.len() > of.0.len() && path.0.starts_with(&of.0)
}

/// Whether each step is a name that only its own object can have, in the order in which it was added.
fn is_plain(path: &Path) -> bool {
    let is_name = |name: &str| {
        let is_number = name.bytes().all(|octet| octet.is_ascii_digit());
        !is_number && !matches!(name, "length" | "__proto__")
    };
    !path.0.is_empty() && path.0.iter().all(|segment| matches!(segment, Segment::Key(name) if is_name(name)))
}

/// Every path that a value of the grammar reads.
fn reads(value: &Expr) -> Vec<&Path> {
    match value {
        Expr::Message(path) => vec![path],
        Expr::Map(members) => members.iter().flat_map(|(_, member)| reads(member)).collect(),
        Expr::List(items) | Expr::Applied { to: items, .. } => items.iter().flat_map(reads).collect(),
        Expr::Choose { present, then, otherwise } => {
            [present, then, otherwise].into_iter().flat_map(|part| reads(part)).collect()
        }
        Expr::Require { of, .. } => reads(of),
        Expr::Literal(_)
        | Expr::WithoutFirst { .. }
        | Expr::Member { .. }
        | Expr::Truthy(_)
        | Expr::AfterScheme { .. }
        | Expr::Before { .. }
        | Expr::UncheckedClaims(_)
        | Expr::Now
        | Expr::NowDate
        | Expr::NowText
        | Expr::FreshId
        | Expr::FreshUuid
        | Expr::Slot(_)
        | Expr::Raise(_)
        | Expr::Replaced { .. }
        | Expr::Rewritten { .. }
        | Expr::Rendered { .. }
        | Expr::Json { .. }
        | Expr::Evaluated { .. }
        | Expr::Event(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_connect::syntax::Gateway;

    fn recognised(source: &str) -> Option<usize> {
        let properties = [("p".into(), plan::Value::text("v"))].into();
        let names = Names { gateway: Gateway::V5, properties, sealed: ["secret".into()].into() };
        recognise(source, &names).map(|steps| steps.len())
    }

    #[test]
    fn scripts_that_move_values_are_recognised() {
        for (source, steps) in [
            ("", 0),
            ("// nothing\n", 0),
            ("apim.setvariable('a.b', 'x');", 1),
            ("var apim = require('apim');\ncontext.set(\"a\", 1)\ncontext.set('b', true)", 2),
            ("var i = apim.getvariable('p'); apim.setvariable('c', {iss: i, list: [i, null], 'n-1': -2});", 1),
            ("let a = 'Bearer ' + context.get('t'); context.message.header.set('Authorization', a)", 1),
            ("const b = context.get('o').x.y; session.output.write(b); apim.output('application/json')", 2),
            ("apim.setvariable('a', '', 'clear'); context.clear('b'); apim.setvariable('c', 1, 'set')", 3),
            ("var a = context.get('x'), b = 'c'\ncontext.message.body.write({a: a, b: b});", 1),
            ("context.set('n', JSON.stringify({a: context.get('x')}));", 1),
        ] {
            assert_eq!(recognised(source), Some(steps), "{source}");
        }
    }

    #[test]
    fn anything_else_stays_a_script() {
        for source in [
            "apim.setvariable('a', f())",
            "if (a) {}",
            "var a = 1; a = 2; context.set('b', a)",
            "var a = context.get('x'); context.set('x', 1); context.set('y', a)",
            "var a = context.get('x'); context.set('x.y', 1); context.set('y', a)",
            "context.set('copy', context.get('o')); context.set('copy.x', 1)",
            "context.set('copy', context.get('o')); context.set('o.x', 1)",
            "context.set('o.x', context.get('o'))",
            "context.set('l', context.get('a').length)",
            "context.set('a[0]', 1)",
            "context.set(name, 1)",
            "apim.setvariable('a', 1, 'add')",
            "console.log('x')",
            "context.reject('a', 'b')",
            "var context = 1; context.set('a', 1)",
            "var x = y; context.set('a', x)",
            "context.set('a', 1) context.set('b', 2)",
            "context.set('a', {b: 1, b: 2})",
            "context.set('a', 1 + )",
            "context.set('a', 1 + 2)",
            "return; context.set('a', 1)",
            "var a = require('url'); context.set('b', 1)",
            "context.set('a', this.x)",
            "context.set('a', context.get('secret'))",
        ] {
            assert_eq!(recognised(source), None, "{source}");
        }
    }
}
