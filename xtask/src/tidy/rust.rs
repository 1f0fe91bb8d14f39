//! Tells the parts of a Rust text apart: code, comments, tests, functions. Offsets stay those of the text.

use std::ops::Range;

use super::layers::{blank, layers, text_of};

/// A Rust text in two layers. In each layer everything else is blanks, so that offsets and lines agree.
pub(super) struct Rust {
    /// Code; strings and characters keep their quotes only.
    pub(super) code: String,
    pub(super) comments: String,
    /// What exists for tests alone, attributes included.
    pub(super) tests: Vec<Range<usize>>,
    /// Functions with a body outside tests, in their order.
    pub(super) functions: Vec<Function>,
}

/// A function's name and the lines from `fn` to its closing brace.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) lines: usize,
}

impl Rust {
    pub(super) fn parse(text: &str) -> Self {
        let (code, comments) = layers(text);
        let tests = test_spans(&code);
        let functions = functions(&code, &tests);
        Self { code, comments, tests, functions }
    }

    /// Lines outside tests.
    pub(super) fn production_lines(&self) -> usize {
        let tests: usize = self.tests.iter().map(|span| lines_in(&self.code, span)).sum();
        self.code.lines().count().saturating_sub(tests)
    }

    /// The code with its tests blanked.
    pub(super) fn production_code(&self) -> String {
        let mut octets = self.code.clone().into_bytes();
        for span in &self.tests {
            blank(&mut octets[span.clone()]);
        }
        text_of(octets)
    }
}

/// The line, counted from 1, on which `offset` lies.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|&&octet| octet == b'\n').count()
}

/// Where `word` stands by itself: neither preceded nor followed by a letter, a digit or `_`.
pub(super) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = text[..at].bytes().next_back();
        let after = text[at + word.len()..].bytes().next();
        !before.is_some_and(in_word) && !after.is_some_and(in_word)
    })
}

pub(super) fn in_word(octet: u8) -> bool {
    octet == b'_' || octet.is_ascii_alphanumeric()
}

/// The items that a `test` attribute marks, from the attribute to the item's end.
fn test_spans(code: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (at, _) in code.match_indices("#[") {
        if spans.last().is_some_and(|span| span.contains(&at)) {
            continue;
        }
        let attribute = &code[at..matching(code, at + 1)];
        let marks = ["#[cfg(test)", "#[cfg(all(test", "#[cfg(any(test", "#[test]", "#[tokio::test"];
        if marks.iter().any(|mark| attribute.starts_with(mark)) {
            spans.push(at..item_end(code, at + attribute.len()));
        }
    }
    spans
}

/// Where the item that begins at `from` ends: its `;` or its closing brace.
fn item_end(code: &str, from: usize) -> usize {
    body(code, from)
        .map_or_else(|| code[from..].find(';').map_or(code.len(), |at| from + at + 1), |open| matching(code, open))
}

/// The first `{` after `from` that no `;` precedes, parentheses and brackets passed over.
fn body(code: &str, from: usize) -> Option<usize> {
    let octets = code.as_bytes();
    let mut at = from;
    while at < octets.len() {
        match octets[at] {
            b'(' | b'[' => at = matching(code, at),
            b'{' => return Some(at),
            b';' => return None,
            _ => at += 1,
        }
    }
    None
}

/// The offset after the bracket that closes the one at `open`.
fn matching(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, octet) in code.bytes().enumerate().skip(open) {
        match octet {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

fn functions(code: &str, tests: &[Range<usize>]) -> Vec<Function> {
    words(code, "fn")
        .filter(|at| !tests.iter().any(|span| span.contains(at)))
        .filter_map(|at| {
            let name: String =
                code[at + 2..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let open = body(code, at).filter(|_| !name.is_empty())?;
            let lines = lines_in(code, &(at..matching(code, open)));
            Some(Function { name, lines })
        })
        .collect()
}

fn lines_in(text: &str, span: &Range<usize>) -> usize {
    1 + text[span.clone()].matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_not_production() {
        let rust = Rust::parse("fn a() {\n    b();\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n");
        assert_eq!(rust.production_lines(), 4);
        let names: Vec<&str> = rust.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["a"]);
        assert_eq!(rust.functions[0].lines, 3);
        assert!(!rust.production_code().contains("mod tests"));
    }

    #[test]
    fn a_declaration_has_no_body() {
        let rust = Rust::parse("trait T { fn a(&self) -> [u8; 3]; fn b(&self) where Self: Sized {\n} }");
        assert_eq!(rust.functions.len(), 1);
        assert_eq!(rust.functions[0].name, "b");
    }

    #[test]
    fn words_stand_alone() {
        let found: Vec<usize> = words("red shared.red red_x", "red").collect();
        assert_eq!(found, [0, 11]);
    }
}
