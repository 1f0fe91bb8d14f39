//! Statements that assign literals and member paths, delete members, and return the message or nothing.

use plan::{Expr, Number, Path, Segment, ShapeStep, Text, Value};

use crate::tokens::{Kind, Token};

/// Deepest nesting of objects and arrays.
const DEPTH_MAX: usize = 32;

/// The statements of a body; none if it holds anything else.
pub(super) fn parse(tokens: &[Token]) -> Option<Vec<ShapeStep>> {
    let mut parser = Parser { tokens, at: 0 };
    let mut steps = Vec::new();
    let mut returns = Return::Nothing;
    while parser.at < tokens.len() {
        if parser.eat(';') {
            continue;
        }
        if parser.eat_word("return") {
            returns = parser.returned()?;
            while parser.eat(';') {}
            return (parser.at == tokens.len()).then(|| finish(steps, returns));
        }
        steps.push(parser.statement()?);
        parser.end_of_statement()?;
    }
    Some(finish(steps, returns))
}

#[derive(Clone, Copy)]
enum Return {
    Message,
    Nothing,
}

fn finish(mut steps: Vec<ShapeStep>, returns: Return) -> Vec<ShapeStep> {
    match returns {
        Return::Message => {}
        Return::Nothing => steps.push(ShapeStep::Drop),
    }
    steps
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Parser<'_> {
    /// `msg.a.b = value` or `delete msg.a.b`.
    fn statement(&mut self) -> Option<ShapeStep> {
        if self.eat_word("delete") {
            return self.path().map(ShapeStep::Delete);
        }
        let to = self.path()?;
        self.eat('=').then_some(())?;
        // A second `=` would make it a comparison.
        Some(ShapeStep::Set(to, self.value(0)?))
    }

    /// A statement ends with `;`, with the body, or with a line, if what follows cannot go on with it.
    fn end_of_statement(&mut self) -> Option<()> {
        let Some(next) = self.tokens.get(self.at) else { return Some(()) };
        let begins_statement =
            matches!(&next.kind, Kind::Word(word) if matches!(word.as_str(), "msg" | "delete" | "return"));
        (self.eat(';') || (next.on_new_line && begins_statement)).then_some(())
    }

    /// What stands behind `return` on its line.
    fn returned(&mut self) -> Option<Return> {
        let Some(next) = self.tokens.get(self.at) else { return Some(Return::Nothing) };
        if next.kind == Kind::Mark(';') {
            return Some(Return::Nothing);
        }
        let returned = match &next.kind {
            Kind::Word(word) if word == "msg" => Return::Message,
            Kind::Word(word) if matches!(word.as_str(), "null" | "undefined") => Return::Nothing,
            Kind::Word(_) | Kind::Text(_) | Kind::Number(_) | Kind::Mark(_) => return None,
        };
        self.at += 1;
        (!next.on_new_line).then_some(returned)
    }

    /// `msg` with at least one member behind it.
    fn path(&mut self) -> Option<Path> {
        self.eat_word("msg").then_some(())?;
        let mut segments = Vec::new();
        loop {
            let name = if self.eat('.') {
                self.word()?
            } else if self.eat('[') {
                let name = self.text()?;
                self.eat(']').then_some(())?;
                name
            } else {
                return (!segments.is_empty()).then(|| Path(segments.into()));
            };
            segments.push(Segment::Key(name));
        }
    }

    fn value(&mut self, depth: usize) -> Option<Expr> {
        if depth > DEPTH_MAX {
            return None;
        }
        let token = self.tokens.get(self.at)?;
        let literal = match &token.kind {
            Kind::Word(word) if word == "msg" => return self.path().map(Expr::Message),
            Kind::Mark('{') => return self.object(depth),
            Kind::Mark('[') => return self.array(depth),
            Kind::Mark('-') => {
                self.at += 1;
                self.negative()?
            }
            Kind::Word(word) => constant(word)?,
            Kind::Text(text) => Value::text(text),
            Kind::Number(value) => number(*value),
            Kind::Mark(_) => return None,
        };
        self.at += 1;
        Some(Expr::Literal(literal))
    }

    /// The number behind a minus; zero is left, for it would be the negative one.
    fn negative(&mut self) -> Option<Value> {
        match self.tokens.get(self.at)?.kind {
            Kind::Number(value) if value != 0.0 => Some(number(-value)),
            Kind::Number(_) | Kind::Word(_) | Kind::Text(_) | Kind::Mark(_) => None,
        }
    }

    fn object(&mut self, depth: usize) -> Option<Expr> {
        self.eat('{').then_some(())?;
        let mut members: Vec<(Text, Expr)> = Vec::new();
        while !self.eat('}') {
            let name =
                if matches!(self.tokens.get(self.at)?.kind, Kind::Text(_)) { self.text()? } else { self.word()? };
            self.eat(':').then_some(())?;
            let value = self.value(depth + 1)?;
            if members.iter().any(|(other, _)| *other == name) {
                return None;
            }
            members.push((name, value));
            if !self.eat(',') && !self.is_at('}') {
                return None;
            }
        }
        Some(folded_map(members))
    }

    fn array(&mut self, depth: usize) -> Option<Expr> {
        self.eat('[').then_some(())?;
        let mut items = Vec::new();
        while !self.eat(']') {
            items.push(self.value(depth + 1)?);
            if !self.eat(',') && !self.is_at(']') {
                return None;
            }
        }
        Some(folded_list(items))
    }

    fn word(&mut self) -> Option<Text> {
        let Kind::Word(word) = &self.tokens.get(self.at)?.kind else { return None };
        self.at += 1;
        Some(word.as_str().into())
    }

    fn text(&mut self) -> Option<Text> {
        let Kind::Text(text) = &self.tokens.get(self.at)?.kind else { return None };
        self.at += 1;
        Some(text.as_str().into())
    }

    fn is_at(&self, mark: char) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Mark(mark))
    }

    fn eat(&mut self, mark: char) -> bool {
        let hit = self.is_at(mark);
        self.at += usize::from(hit);
        hit
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let hit = self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Word(word.to_owned()));
        self.at += usize::from(hit);
        hit
    }
}

fn constant(word: &str) -> Option<Value> {
    match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        "undefined" => Some(Value::Undefined),
        _ => None,
    }
}

/// Integers are held as integers: the tokens let none pass that a double does not hold.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { Value::integer(value as i64) } else { Value::Number(Number::Float(value)) }
}

/// A map, made now if all its members are known.
fn folded_map(members: Vec<(Text, Expr)>) -> Expr {
    let known =
        members.iter().map(|(name, value)| Some((name.clone(), literal(value)?))).collect::<Option<plan::Map>>();
    known.map_or(Expr::Map(members), |map| Expr::Literal(map.into()))
}

fn folded_list(items: Vec<Expr>) -> Expr {
    let known = items.iter().map(literal).collect::<Option<Vec<_>>>();
    known.map_or(Expr::List(items), |items| Expr::Literal(Value::list(items)))
}

fn literal(value: &Expr) -> Option<Value> {
    if let Expr::Literal(value) = value { Some(value.clone()) } else { None }
}
