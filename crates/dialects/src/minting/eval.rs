//! Expressions and steps of a plan, evaluated as far as that can be done before any message comes.

use plan::{Expr, JsonWay, Path, Piece, Root, Segment, ShapeStep, Slot, TemplateSource, Text, Turn, Value, Way};

use super::meaning::applied;
use super::symbol::Symbol;

/// What an expression gives for this message.
pub(super) fn eval(expr: &Expr, message: &Symbol) -> Symbol {
    let at = |path: &Path| message.read(&path.0);
    let made = |by: &str, of: &[&Expr]| Symbol::made(by, of.iter().map(|of| eval(of, message)).collect());
    match expr {
        Expr::Literal(value) => Symbol::Known(value.clone()),
        Expr::Message(path) => at(path),
        Expr::Map(members) => Symbol::map(members.iter().map(|(name, value)| (name.clone(), eval(value, message)))),
        Expr::List(items) => Symbol::list(items.iter().map(|item| eval(item, message)).collect()),
        Expr::Require { of, .. } => eval(of, message).required(),
        Expr::Truthy(of) => eval(of, message),
        Expr::Member { of, path } => eval(of, message).read(&path.0),
        Expr::Choose { present, then, otherwise } => choose(present, then, otherwise, message),
        Expr::Now | Expr::NowDate | Expr::NowText => Symbol::Now,
        Expr::FreshId | Expr::FreshUuid => Symbol::Fresh,
        Expr::Slot(slot) => of_slot(slot, message),
        Expr::Raise(_) => Symbol::NOTHING,
        Expr::WithoutFirst { of, .. } | Expr::Before { of, .. } | Expr::AfterScheme { of, .. } => {
            made("a part of a text", &[of])
        }
        Expr::UncheckedClaims(of) => made("the claims of a token that nobody has checked", &[of]),
        Expr::Replaced { of, with, .. } | Expr::Rewritten { of, with, .. } => made("a replacement", &[of, with]),
        Expr::Rendered { template, .. } => rendered(template, message),
        Expr::Json { of, way, .. } => match (way, eval(of, message)) {
            (JsonWay::Write, text @ Symbol::Known(Value::Text(_))) => text,
            (JsonWay::Toggle | JsonWay::Read | JsonWay::Write, value) => Symbol::made("JSON", vec![value]),
        },
        Expr::Applied { function, to } => applied(function, to.iter().map(|to| eval(to, message)).collect()),
        Expr::Evaluated { input, .. } => made("an expression", &[input]),
        Expr::Event(_) => Symbol::made("the error that is handled", Vec::new()),
    }
}

/// The message behind these steps.
pub(super) fn shaped(steps: &[ShapeStep], message: &Symbol) -> Symbol {
    steps.iter().fold(message.clone(), |message, step| match step {
        ShapeStep::Set(to, value) | ShapeStep::Place { to, value, .. } => message.written(&to.0, eval(value, &message)),
        ShapeStep::SetPresent(to, value) => {
            let value = eval(value, &message);
            if value.is_nothing() { message } else { message.written(&to.0, value) }
        }
        ShapeStep::Move(from, to) => {
            let moved = message.read(&from.0);
            message.written(&from.0, Symbol::NOTHING).written(&to.0, moved)
        }
        ShapeStep::Delete(at) => message.written(&at.0, Symbol::NOTHING),
        ShapeStep::Replace(value) => Symbol::Known(value.clone()),
        ShapeStep::Drop => message,
    })
}

/// The path of a place in the message; none if the message decides it, or if it lies elsewhere.
pub(super) fn path_of(slot: &Slot) -> Option<Path> {
    let Way(turns) = &slot.way;
    let segments = turns.iter().map(|turn| match turn {
        Turn::To(segment) => Some(segment.clone()),
        Turn::By(_) => None,
    });
    let path = Path(segments.collect::<Option<Vec<_>>>()?.into());
    matches!(slot.root, Root::Message).then_some(path)
}

fn of_slot(slot: &Slot, message: &Symbol) -> Symbol {
    match path_of(slot) {
        Some(path) => message.read(&path.0),
        None => Symbol::made("a variable of the flow", Vec::new()),
    }
}

fn choose(present: &Expr, then: &Expr, otherwise: &Expr, message: &Symbol) -> Symbol {
    if matches!(otherwise, Expr::Raise(_)) {
        return eval(then, message).required();
    }
    let present = eval(present, message);
    if present.is_nothing() {
        eval(otherwise, message)
    } else if present.is_required() {
        eval(then, message)
    } else {
        Symbol::any(vec![eval(then, message), eval(otherwise, message)])
    }
}

fn rendered(template: &TemplateSource, message: &Symbol) -> Symbol {
    let TemplateSource::Ready(template) = template else {
        return Symbol::made("a template of the message", Vec::new());
    };
    let part = |piece: &Piece| match piece {
        Piece::Text(text) => Symbol::Known(Value::Text(text.clone())),
        Piece::Name { name, .. } => message.read(&named(name).0),
        Piece::Section { .. } => Symbol::made("a section of a template", Vec::new()),
    };
    Symbol::joined(template.pieces.iter().map(part).collect())
}

fn named(name: &str) -> Path {
    Path(name.split('.').map(|name| Segment::Key(Text::from(name))).collect())
}
