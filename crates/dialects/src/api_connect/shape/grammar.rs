//! Calls that set and clear variables, with literals, variables and texts made of them.

use std::collections::BTreeMap;

use plan::{Expr, Fault, FaultKind, Number, Path, Segment, ShapeStep, Text, Value};

use super::text::{concatenated_of, stringified_of};
use crate::api_connect::name::{Names, path};
use crate::tokens::{Kind, Token};

/// Deepest nesting of objects, lists and brackets.
const DEPTH_MAX: usize = 32;
/// Names that scripts find around them, and words that name no variable.
const TAKEN: [&str; 22] = [
    "apim",
    "context",
    "session",
    "console",
    "require",
    "JSON",
    "Buffer",
    "undefined",
    "null",
    "true",
    "false",
    "this",
    "new",
    "delete",
    "return",
    "var",
    "let",
    "const",
    "function",
    "typeof",
    "void",
    "arguments",
];
/// The modules that are `apim`.
const APIM: [&str; 3] = ["apim", "./apim.custom.js", "local:///isp/policy/apim.custom.js"];

/// The statements of a script; none if it holds anything else.
pub(super) fn parse(tokens: &[Token], names: &Names) -> Option<Vec<ShapeStep>> {
    let mut parser = Parser { tokens, at: 0, names, locals: BTreeMap::new(), steps: Vec::new() };
    while parser.at < tokens.len() {
        if !parser.eat(';') {
            parser.statement()?;
            parser.end_of_statement()?;
        }
    }
    Some(parser.steps)
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    names: &'t Names,
    /// What local names stand for; none once something was written that would change what was read.
    locals: BTreeMap<&'t str, Option<Expr>>,
    steps: Vec<ShapeStep>,
}

impl<'t> Parser<'t> {
    fn statement(&mut self) -> Option<()> {
        if self.eat_word("var") || self.eat_word("let") || self.eat_word("const") {
            self.declaration()?;
            while self.eat(',') {
                self.declaration()?;
            }
            return Some(());
        }
        let step = self.call_that_writes()?;
        let (to, _) = super::written(&step)?;
        for local in self.locals.values_mut() {
            let touches = |path: &&Path| path.0.starts_with(&to.0) || to.0.starts_with(&path.0);
            if local.as_ref().is_some_and(|value| super::reads(value).iter().any(touches)) {
                *local = None;
            }
        }
        self.steps.push(step);
        Some(())
    }

    /// `name = value`, or `apim = require('apim')`, which is there already.
    fn declaration(&mut self) -> Option<()> {
        let name = self.word()?;
        self.eat('=').then_some(())?;
        if self.eat_word("require") {
            self.eat('(').then_some(())?;
            let module = self.text()?;
            return (self.eat(')') && name == "apim" && APIM.contains(&&*module)).then_some(());
        }
        if TAKEN.contains(&name) || self.locals.contains_key(name) {
            return None;
        }
        let value = self.sum(0)?;
        self.locals.insert(name, Some(value));
        Some(())
    }

    fn call_that_writes(&mut self) -> Option<ShapeStep> {
        match self.word()? {
            "apim" if self.eat_call(&["setvariable"]) => self.setvariable(),
            "apim" if self.eat_call(&["output"]) => self.place("message.headers.content-type"),
            "context" if self.eat_call(&["set"]) || self.eat_call(&["setVariable"]) => self.named_place(""),
            "context" if self.eat_call(&["message", "header", "set"]) => self.named_place("message.headers."),
            "context" if self.eat_call(&["clear"]) || self.eat_call(&["clearVariable"]) => {
                let name = self.text()?;
                self.eat(')').then_some(ShapeStep::Delete(dotted(&name)?))
            }
            "context" if self.eat_call(&["message", "body", "write"]) => self.place("message.body"),
            "session" if self.eat_call(&["output", "write"]) => self.place("message.body"),
            _ => None,
        }
    }

    /// `'name', value)`.
    fn named_place(&mut self, root: &str) -> Option<ShapeStep> {
        let name = format!("{root}{}", self.text()?);
        self.eat(',').then_some(())?;
        self.place(&name)
    }

    /// `value)`, written to this name.
    fn place(&mut self, name: &str) -> Option<ShapeStep> {
        let value = self.sum(0)?;
        self.eat(')').then_some(placed(dotted(name)?, value))
    }

    /// `'name', value)`, with `'set'` or `'clear'` as a third argument.
    fn setvariable(&mut self) -> Option<ShapeStep> {
        let to = dotted(&self.text()?)?;
        self.eat(',').then_some(())?;
        let value = self.sum(0)?;
        let verb = if self.eat(',') { self.text()? } else { "set".into() };
        let step = match &*verb {
            "set" => placed(to, value),
            "clear" => ShapeStep::Delete(to),
            _ => return None,
        };
        self.eat(')').then_some(step)
    }

    /// Values with `+` between them: texts, since one of the first two must be one.
    fn sum(&mut self, depth: usize) -> Option<Expr> {
        let mut parts = vec![self.term(depth)?];
        while self.eat('+') {
            parts.push(self.term(depth)?);
        }
        if parts.len() == 1 {
            return parts.pop();
        }
        let is_text = |part: &Expr| matches!(part, Expr::Literal(Value::Text(_)));
        parts[..2].iter().any(is_text).then(|| concatenated_of(parts))
    }

    fn term(&mut self, depth: usize) -> Option<Expr> {
        let token = self.tokens.get(self.at).filter(|_| depth <= DEPTH_MAX)?;
        let literal = match &token.kind {
            Kind::Mark('{') => return self.object(depth),
            Kind::Mark('[') => return self.array(depth),
            Kind::Mark('-') => {
                self.at += 1;
                match self.tokens.get(self.at)?.kind {
                    // The negative zero is left.
                    Kind::Number(value) if value != 0.0 => number(-value),
                    Kind::Number(_) | Kind::Word(_) | Kind::Text(_) | Kind::Mark(_) => return None,
                }
            }
            Kind::Word(word) if word == "true" => Value::Bool(true),
            Kind::Word(word) if word == "false" => Value::Bool(false),
            Kind::Word(word) if word == "null" => Value::Null,
            Kind::Word(_) => return self.named(depth),
            Kind::Text(text) => Value::text(text),
            Kind::Number(value) => number(*value),
            Kind::Mark(_) => return None,
        };
        self.at += 1;
        Some(Expr::Literal(literal))
    }

    /// A variable, a local name, or `JSON.stringify` of a value.
    fn named(&mut self, depth: usize) -> Option<Expr> {
        let value = match self.word()? {
            "apim" if self.eat_call(&["getvariable"]) => self.variable("")?,
            "context" if self.eat_call(&["get"]) || self.eat_call(&["getVariable"]) => self.variable("")?,
            "context" if self.eat_call(&["message", "header", "get"]) => self.variable("message.headers.")?,
            "context" if self.eat_call(&["request", "header", "get"]) => self.variable("request.headers.")?,
            "JSON" if self.eat_call(&["stringify"]) => {
                let of = self.sum(depth + 1)?;
                return self.eat(')').then(|| stringified_of(of));
            }
            local => self.locals.get(local)?.clone()?,
        };
        let value = self.member_of(value)?;
        (!self.is_at('[') && !self.is_at('(')).then_some(value)
    }

    /// `'name')`.
    fn variable(&mut self, root: &str) -> Option<Expr> {
        let name = format!("{root}{}", self.text()?);
        let read = Expr::Message(dotted(&name)?);
        (self.eat(')') && !self.names.sealed.contains(name.as_str())).then_some(())?;
        Some(match self.names.properties.get(name.as_str()) {
            Some(value) => Expr::Choose {
                present: Box::new(read.clone()),
                then: Box::new(read),
                otherwise: Box::new(Expr::Literal(value.clone())),
            },
            None => read,
        })
    }

    /// Members behind a variable: `.a.b`. One that is not there is left to the script, which may fail at it.
    fn member_of(&mut self, value: Expr) -> Option<Expr> {
        let mut segments = Vec::new();
        while self.eat('.') {
            segments.push(Segment::Key(self.word()?.into()));
        }
        if segments.is_empty() {
            return Some(value);
        }
        let Expr::Message(path) = value else { return None };
        let of = Expr::Message(Path(path.0.iter().cloned().chain(segments).collect()));
        Some(Expr::Require { of: Box::new(of), fault: Box::new(unfit()) })
    }

    fn object(&mut self, depth: usize) -> Option<Expr> {
        self.eat('{').then_some(())?;
        let mut members: Vec<(Text, Expr)> = Vec::new();
        while !self.eat('}') {
            let name = self.text().or_else(|| self.word().map(Into::into))?;
            self.eat(':').then_some(())?;
            let value = self.sum(depth + 1)?;
            let is_odd = name.bytes().all(|octet| octet.is_ascii_digit()) || &*name == "__proto__";
            if is_odd || members.iter().any(|(other, _)| *other == name) {
                return None;
            }
            members.push((name, value));
            if !self.eat(',') && !self.is_at('}') {
                return None;
            }
        }
        Some(Expr::Map(members))
    }

    fn array(&mut self, depth: usize) -> Option<Expr> {
        self.eat('[').then_some(())?;
        let mut items = Vec::new();
        while !self.eat(']') {
            items.push(self.sum(depth + 1)?);
            if !self.eat(',') && !self.is_at(']') {
                return None;
            }
        }
        Some(Expr::List(items))
    }

    /// A statement ends with `;`, with the script, or with a line, if what follows cannot go on with it.
    fn end_of_statement(&mut self) -> Option<()> {
        let Some(next) = self.tokens.get(self.at) else { return Some(()) };
        (self.eat(';') || (next.on_new_line && matches!(next.kind, Kind::Word(_)))).then_some(())
    }

    /// `.a.b(`, or nothing is taken.
    fn eat_call(&mut self, words: &[&str]) -> bool {
        let before = self.at;
        let is = words.iter().all(|word| self.eat('.') && self.eat_word(word)) && self.eat('(');
        if !is {
            self.at = before;
        }
        is
    }

    fn word(&mut self) -> Option<&'t str> {
        let Kind::Word(word) = &self.tokens.get(self.at)?.kind else { return None };
        self.at += 1;
        Some(word)
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

/// The way of a name that means the same to the surface and to the plan: names with dots between them, no brackets.
fn dotted(name: &str) -> Option<Path> {
    let is_step = |step: &str| !step.is_empty() && step.chars().all(|c| c.is_alphanumeric() || "_-/@:".contains(c));
    name.split('.').all(is_step).then(|| path(name))
}

fn placed(to: Path, value: Expr) -> ShapeStep {
    ShapeStep::Place { to, value, otherwise: Box::new(unfit()) }
}

/// Never told: the script takes over, and says itself what comes of it.
pub(super) fn unfit() -> Fault {
    Fault::new(FaultKind::ValueUnfit, "the script itself says what comes of it")
}

/// Integers are held as integers: the tokens let none pass that a double does not hold.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { Value::integer(value as i64) } else { Value::Number(Number::Float(value)) }
}
