//! The pull reader: events that borrow from the input, without recursion.

use std::borrow::Cow;

use super::{JsonError, JsonErrorKind, Limits, scan};

/// One piece of a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A text, its escapes resolved; borrowed when it has none.
    Text(Cow<'a, str>),
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// `{`
    ObjectStart,
    /// The name of a member; its value follows.
    Name(Cow<'a, str>),
    /// `}`
    ObjectEnd,
}

/// Reads one JSON text, event by event. Repeated members are not noticed here: see [`super::Value::parse`].
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    event_at: usize,
    state: State,
    open: Vec<Container>,
    values: usize,
    limits: Limits,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    FirstElement,
    FirstName,
    AfterValue,
    Done,
}

struct Container {
    is_object: bool,
    members: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `input`, which must hold exactly one value.
    ///
    /// # Errors
    /// [`JsonErrorKind::Utf8`] or [`JsonErrorKind::ByteOrderMark`] (RFC 8259 section 8.1).
    pub fn new(input: &'a [u8], limits: Limits) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(input)
            .map_err(|error| JsonError { kind: JsonErrorKind::Utf8, offset: error.valid_up_to() })?;
        if text.starts_with('\u{FEFF}') {
            return Err(JsonError { kind: JsonErrorKind::ByteOrderMark, offset: 0 });
        }
        Ok(Self { text, at: 0, event_at: 0, state: State::Value, open: Vec::new(), values: 0, limits })
    }

    /// The next event; `None` once, at the end of the text, after the value is complete.
    ///
    /// # Errors
    /// The first thing that is not JSON or is beyond the limits. Do not go on after an error.
    pub fn next_event(&mut self) -> Result<Option<Event<'a>>, JsonError> {
        self.skip_blanks();
        self.event_at = self.at;
        let state = self.state;
        match state {
            State::Value => self.value().map(Some),
            State::FirstElement if self.eat(b']') => Ok(Some(self.close())),
            State::FirstElement => self.value().map(Some),
            State::FirstName if self.eat(b'}') => Ok(Some(self.close())),
            State::FirstName => self.name().map(Some),
            State::AfterValue => self.after_value().map(Some),
            State::Done if self.at == self.text.len() => Ok(None),
            State::Done => Err(self.error(JsonErrorKind::Trailing)),
        }
    }

    /// Octets before the last event that was handed out.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.event_at
    }

    /// Octets before the end of the last event that was handed out.
    #[must_use]
    pub fn end_offset(&self) -> usize {
        self.at
    }

    /// Reads on to the end of the value that begins with the next event.
    ///
    /// # Errors
    /// As [`Self::next_event`].
    pub fn skip_value(&mut self) -> Result<(), JsonError> {
        let depth = self.open.len();
        loop {
            let event = self.next_event()?;
            let is_name = matches!(event, Some(Event::Name(_)));
            if event.is_none() || (self.open.len() == depth && !is_name) {
                return Ok(());
            }
        }
    }

    fn after_value(&mut self) -> Result<Event<'a>, JsonError> {
        let in_object = self.open.last().is_some_and(|container| container.is_object);
        if self.eat(b',') {
            self.skip_blanks();
            self.event_at = self.at;
            return if in_object { self.name() } else { self.value() };
        }
        let (end, expected) = if in_object { (b'}', "`,` or `}`") } else { (b']', "`,` or `]`") };
        if self.eat(end) { Ok(self.close()) } else { Err(self.unexpected(expected)) }
    }

    fn close(&mut self) -> Event<'a> {
        let closed = self.open.pop().expect("a state inside a container has one open");
        self.finish_value();
        if closed.is_object { Event::ObjectEnd } else { Event::ArrayEnd }
    }

    fn finish_value(&mut self) {
        self.state = if self.open.is_empty() { State::Done } else { State::AfterValue };
    }

    fn value(&mut self) -> Result<Event<'a>, JsonError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(self.error(JsonErrorKind::Values { max: self.limits.values }));
        }
        let event = match self.peek() {
            Some(b'{') => return self.enter(true),
            Some(b'[') => return self.enter(false),
            Some(b'"') => Event::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Event::Number(self.number()?),
            Some(b't') => self.word("true", Event::Bool(true))?,
            Some(b'f') => self.word("false", Event::Bool(false))?,
            Some(b'n') => self.word("null", Event::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        self.finish_value();
        Ok(event)
    }

    fn enter(&mut self, is_object: bool) -> Result<Event<'a>, JsonError> {
        if self.open.len() >= self.limits.depth {
            return Err(self.error(JsonErrorKind::Depth { max: self.limits.depth }));
        }
        self.at += 1;
        self.open.push(Container { is_object, members: 0 });
        self.state = if is_object { State::FirstName } else { State::FirstElement };
        Ok(if is_object { Event::ObjectStart } else { Event::ArrayStart })
    }

    fn name(&mut self) -> Result<Event<'a>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("the name of a member, in double quotes"));
        }
        let max = self.limits.members;
        let container = self.open.last_mut().expect("a name stands in an open object");
        container.members += 1;
        if container.members > max {
            return Err(self.error(JsonErrorKind::Members { max }));
        }
        let name = self.string()?;
        self.skip_blanks();
        if !self.eat(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.state = State::Value;
        Ok(Event::Name(name))
    }

    fn word(&mut self, word: &'static str, event: Event<'a>) -> Result<Event<'a>, JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(event)
    }

    /// RFC 8259 section 6: minus, digits without a leading zero, fraction, exponent.
    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if self.eat(b'0') {
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.error(JsonErrorKind::Number));
            }
        } else {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.error(JsonErrorKind::Number)) } else { Ok(()) }
    }

    /// A text from its opening to its closing quote.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let start = self.at;
        self.at += scan::plain_len(&self.text.as_bytes()[start..]);
        if self.eat(b'"') {
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut resolved = String::from(&self.text[start..self.at]);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(resolved));
                }
                Some(b'\\') => resolved.push(self.escape()?),
                Some(_) => return Err(self.error(JsonErrorKind::Control)),
                None => return Err(self.unexpected("the closing quote of a text")),
            }
            let run = self.at;
            self.at += scan::plain_len(&self.text.as_bytes()[run..]);
            resolved.push_str(&self.text[run..self.at]);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => self.unicode_escape(start)?,
            _ => {
                return Err(JsonError { kind: JsonErrorKind::Escape, offset: start });
            }
        })
    }

    /// The four digits after `\u`, and the second half of a surrogate pair.
    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let lone = JsonError { kind: JsonErrorKind::Surrogate, offset: start };
        let high = self.hex4(start)?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high).ok_or(lone);
        }
        if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            return Err(lone);
        }
        self.at += 2;
        let low = self.hex4(self.at - 2)?;
        if !(0xDC00..0xE000).contains(&low) {
            return Err(lone);
        }
        char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).ok_or(lone)
    }

    fn hex4(&mut self, start: usize) -> Result<u32, JsonError> {
        let bad = JsonError { kind: JsonErrorKind::Escape, offset: start };
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(bad)?;
        self.at += 4;
        digits.iter().try_fold(0, |sum, &digit| char::from(digit).to_digit(16).map(|value| sum * 16 + value).ok_or(bad))
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|o| matches!(o, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, octet: u8) -> bool {
        let hit = self.peek() == Some(octet);
        self.at += usize::from(hit);
        hit
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError { kind, offset: self.at.min(self.text.len()) }
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        self.error(match self.peek() {
            None => JsonErrorKind::End { expected },
            Some(_) => JsonErrorKind::Unexpected { expected },
        })
    }
}
