//! Mustache templates (mustache(5)), without partials: parsed at deploy, or when a message brings one.

use std::sync::Arc;

use crate::value::Text;

/// The longest template, in octets.
pub const TEMPLATE_BYTES_MAX: usize = 1_048_576;
/// How deep sections may stand in each other.
pub const SECTION_DEPTH_MAX: usize = 32;

/// A parsed template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its pieces, in order.
    pub pieces: Arc<[Piece]>,
}

/// One piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(Text),
    /// What a name stands for.
    Name {
        /// The name, dots and all.
        name: Text,
        /// Whether characters of HTML are written as references.
        escaped: bool,
    },
    /// Pieces that are written once, as often as a list has elements, or not at all.
    Section {
        /// What decides.
        name: Text,
        /// Whether they are written only if the name stands for nothing.
        inverted: bool,
        /// What is written.
        pieces: Arc<[Piece]>,
    },
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A tag has no end.
    #[error("Unclosed tag at {0}")]
    TagOpen(usize),
    /// A section has no end.
    #[error("Unclosed section \"{0}\"")]
    SectionOpen(String),
    /// A section ends that has not begun.
    #[error("Unopened section \"{0}\"")]
    SectionEnd(String),
    /// It asks for a partial; there are none.
    #[error("Partials such as \"{0}\" are not supported")]
    Partial(String),
    /// New delimiters are not two words.
    #[error("Invalid tags: {0}")]
    Delimiters(String),
    /// It is too long, or its sections too deep.
    #[error(
        "The template is longer than {TEMPLATE_BYTES_MAX} octets, or nested deeper than {SECTION_DEPTH_MAX} sections"
    )]
    TooLarge,
}

impl Template {
    /// A template that writes this text as it stands.
    pub fn plain(text: &str) -> Self {
        Self { pieces: [Piece::Text(text.into())].into() }
    }

    /// Parses a template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`].
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLarge);
        }
        let mut parser = Parser {
            source,
            at: 0,
            open: "{{".into(),
            close: "}}".into(),
            line: Vec::new(),
            stack: vec![Frame::default()],
        };
        parser.all()?;
        let root = parser.stack.pop().unwrap_or_default();
        match root.section {
            Some((name, _)) => Err(TemplateError::SectionOpen(name)),
            None => Ok(Self { pieces: joined(root.pieces) }),
        }
    }

    /// Every name in it, those of sections included.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        collect(&self.pieces, &mut names);
        names
    }
}

fn collect<'t>(pieces: &'t [Piece], names: &mut Vec<&'t str>) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Name { name, .. } => names.push(name),
            Piece::Section { name, pieces, .. } => {
                names.push(name);
                collect(pieces, names);
            }
        }
    }
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    open: String,
    close: String,
    /// What the current line holds so far.
    line: Vec<Token>,
    stack: Vec<Frame>,
}

#[derive(Default)]
struct Frame {
    section: Option<(String, bool)>,
    pieces: Vec<Piece>,
}

/// Something on a line, not yet known to stay: a line of nothing but blanks and tags that write nothing is left out.
enum Token {
    Text(String),
    Name(Piece),
    Open(String, bool),
    Close(String),
    Nothing,
}

impl Parser<'_> {
    fn all(&mut self) -> Result<(), TemplateError> {
        while self.at < self.source.len() {
            let rest = &self.source[self.at..];
            let tag = rest.find(&self.open).unwrap_or(rest.len());
            let text_end = rest.find('\n').filter(|end| *end < tag).map_or(tag, |end| end + 1);
            if text_end > 0 {
                self.line.push(Token::Text(rest[..text_end].to_owned()));
                self.at += text_end;
                if rest[..text_end].ends_with('\n') {
                    self.end_line()?;
                }
            } else {
                self.tag()?;
            }
        }
        self.end_line()
    }

    fn tag(&mut self) -> Result<(), TemplateError> {
        let start = self.at;
        let inner = &self.source[start + self.open.len()..];
        let kind = inner.chars().next().filter(|kind| "#^/>{&=!".contains(*kind));
        let end = match kind {
            Some('{') => format!("}}{}", self.close),
            Some('=') => format!("={}", self.close),
            Some(_) | None => self.close.clone(),
        };
        let body = &inner[kind.map_or(0, char::len_utf8)..];
        let len = body.find(&end).ok_or(TemplateError::TagOpen(start))?;
        let name = body[..len].trim();
        self.at = self.source.len() - body.len() + len + end.len();
        let token = self.token(kind, name)?;
        self.line.push(token);
        Ok(())
    }

    fn token(&mut self, kind: Option<char>, name: &str) -> Result<Token, TemplateError> {
        let written = |escaped| Token::Name(Piece::Name { name: name.into(), escaped });
        Ok(match kind {
            Some('#') => Token::Open(name.to_owned(), false),
            Some('^') => Token::Open(name.to_owned(), true),
            Some('/') => Token::Close(name.to_owned()),
            Some('>') => return Err(TemplateError::Partial(name.to_owned())),
            Some('=') => {
                let words: Vec<&str> = name.split_whitespace().collect();
                let [open, close] = words[..] else { return Err(TemplateError::Delimiters(name.to_owned())) };
                (self.open, self.close) = (open.to_owned(), close.to_owned());
                Token::Nothing
            }
            Some('!') => Token::Nothing,
            Some('{' | '&') => written(false),
            Some(_) | None => written(true),
        })
    }

    /// Takes in the tokens of a line, without its blanks if it only holds tags that write nothing.
    fn end_line(&mut self) -> Result<(), TemplateError> {
        let line = std::mem::take(&mut self.line);
        let shows = |token: &Token| match token {
            Token::Text(text) => !text.trim().is_empty(),
            Token::Name(_) => true,
            Token::Open(..) | Token::Close(_) | Token::Nothing => false,
        };
        let has_tag = line.iter().any(|token| !matches!(token, Token::Text(_)));
        let standalone = has_tag && !line.iter().any(shows);
        for token in line {
            match token {
                Token::Text(_) if standalone => {}
                Token::Text(text) => self.add(Piece::Text(text.into())),
                Token::Name(piece) => self.add(piece),
                Token::Open(name, inverted) => self.open_section(name, inverted)?,
                Token::Close(name) => self.close_section(&name)?,
                Token::Nothing => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, piece: Piece) {
        if let Some(frame) = self.stack.last_mut() {
            frame.pieces.push(piece);
        }
    }

    fn open_section(&mut self, name: String, inverted: bool) -> Result<(), TemplateError> {
        if self.stack.len() > SECTION_DEPTH_MAX {
            return Err(TemplateError::TooLarge);
        }
        self.stack.push(Frame { section: Some((name, inverted)), pieces: Vec::new() });
        Ok(())
    }

    fn close_section(&mut self, name: &str) -> Result<(), TemplateError> {
        let Some(Frame { section: Some((opened, inverted)), pieces }) = self.stack.pop() else {
            return Err(TemplateError::SectionEnd(name.to_owned()));
        };
        if opened != name {
            return Err(TemplateError::SectionOpen(opened));
        }
        self.add(Piece::Section { name: opened.into(), inverted, pieces: joined(pieces) });
        Ok(())
    }
}

/// The pieces with neighbouring texts made one.
fn joined(pieces: Vec<Piece>) -> Arc<[Piece]> {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (out.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => *before = format!("{before}{text}").into(),
            (_, piece) => out.push(piece),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        let show = |piece: &Piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Name { name, escaped } => format!("<{name}{}>", if *escaped { "" } else { "!" }),
            Piece::Section { name, inverted, pieces } => {
                format!("({}{name}:{})", if *inverted { "^" } else { "" }, shown(pieces))
            }
        };
        pieces.iter().map(show).collect()
    }

    /// NR-94: tags, sections, comments and delimiters; lines that only hold sections leave nothing.
    #[test]
    fn a_template_is_read_as_mustache() {
        for (source, expected) in [
            ("a{{x.y}}b{{{ z }}}{{& w}}", "a<x.y>b<z!><w!>"),
            ("{{#l}}<{{.}}>{{/l}}{{^n}}none{{/n}}", "(l:<<.>>)(^n:none)"),
            ("x\n  {{#l}}\n  [{{a}}]\n  {{/l}}\ny", "x\n(l:  [<a>]\n)y"),
            ("{{! a\n comment }}k", "k"),
            ("{{=<% %>=}}<% a %>{{b}}<%={{ }}=%>{{c}}", "<a>{{b}}<c>"),
            ("a }} b", "a }} b"),
        ] {
            assert_eq!(shown(&Template::parse(source).unwrap().pieces), expected, "{source}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for source in ["{{a", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{> p}}", "{{=a=}}"] {
            assert!(Template::parse(source).is_err(), "{source}");
        }
        let deep = |levels: usize| "{{#a}}".repeat(levels) + &"{{/a}}".repeat(levels);
        assert!(Template::parse(&deep(SECTION_DEPTH_MAX)).is_ok());
        assert_eq!(Template::parse(&deep(SECTION_DEPTH_MAX + 1)), Err(TemplateError::TooLarge));
    }
}
