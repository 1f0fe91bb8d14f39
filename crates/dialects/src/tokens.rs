//! The tokens of the small part of JavaScript that bodies which only shape data are written in.

/// One token and whether a line ends before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// A line ends between the token before it and this one.
    pub(crate) on_new_line: bool,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A name or a word of the language.
    Word(String),
    /// A text in quotes.
    Text(String),
    /// A number without a sign, which a double holds exactly as it is written or nearest to it.
    Number(f64),
    /// One of `{ } [ ] ( ) : , ; . = - +`.
    Mark(char),
}

/// Splits a source into tokens; none as soon as it holds anything else.
pub(crate) fn split(source: &str) -> Option<Vec<Token>> {
    let mut rest = source;
    let mut tokens = Vec::new();
    loop {
        let (behind, on_new_line) = skip_blanks(rest)?;
        let Some(first) = behind.chars().next() else { return Some(tokens) };
        let (kind, behind) = match first {
            '"' | '\'' => text(behind, first)?,
            '0'..='9' => number(behind)?,
            c if is_name_character(c) => word(behind),
            '{' | '}' | '[' | ']' | '(' | ')' | ':' | ',' | ';' | '.' | '=' | '-' | '+' => {
                (Kind::Mark(first), &behind[1..])
            }
            _ => return None,
        };
        tokens.push(Token { kind, on_new_line });
        rest = behind;
    }
}

/// What follows blanks and comments, and whether a line ends in them.
fn skip_blanks(mut rest: &str) -> Option<(&str, bool)> {
    let mut line_ended = false;
    loop {
        if let Some(comment) = rest.strip_prefix("//") {
            let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
            is_plain(&comment[..end]).then_some(())?;
            rest = &comment[end..];
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let (comment, behind) = comment.split_once("*/")?;
            is_plain(comment).then_some(())?;
            line_ended |= comment.contains(['\n', '\r']);
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix(['\n', '\r']) {
            line_ended = true;
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix([' ', '\t']) {
            rest = behind;
        } else {
            return Some((rest, line_ended));
        }
    }
}

/// Whether a text holds neither of the two separators that JavaScript counts as line ends in some places.
fn is_plain(text: &str) -> bool {
    !text.contains(['\u{2028}', '\u{2029}'])
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

fn word(text: &str) -> (Kind, &str) {
    let end = text.find(|c| !is_name_character(c)).unwrap_or(text.len());
    (Kind::Word(text[..end].to_owned()), &text[end..])
}

/// Decimal digits with a fraction and an exponent. Other notations, and integers that a double does not hold, are left.
fn number(text: &str) -> Option<(Kind, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(text);
    if end > 1 && text.starts_with('0') {
        return None;
    }
    if text[end..].starts_with('.') {
        let fraction = digits(&text[end + 1..]);
        end += (fraction > 0).then_some(fraction + 1)?;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[end + 1 + sign..]);
        end += (exponent > 0).then_some(exponent + 1 + sign)?;
    }
    let value: f64 = text[..end].parse().ok()?;
    let exact = value < 9_007_199_254_740_992.0;
    let alone = !text[end..].starts_with(|c: char| is_name_character(c) || c == '.' || c == '\\' || !c.is_ascii());
    (exact && alone).then(|| (Kind::Number(value), &text[end..]))
}

/// A text in these quotes, on one line, with the usual escapes.
fn text(source: &str, quote: char) -> Option<(Kind, &str)> {
    let mut value = String::new();
    let mut characters = source.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            c if c == quote => return Some((Kind::Text(value), &source[at + 1..])),
            '\\' => value.push(escape(&mut characters)?),
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => return None,
            plain => value.push(plain),
        }
    }
    None
}

fn escape(characters: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    Some(match characters.next()?.1 {
        plain @ ('\\' | '\'' | '"' | '/') => plain,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{C}',
        'v' => '\u{B}',
        'x' => char::from_u32(hexadecimal(characters, 2)?)?,
        'u' => char::from_u32(hexadecimal(characters, 4)?)?,
        _ => return None,
    })
}

/// The value of so many hexadecimal digits.
fn hexadecimal(characters: &mut impl Iterator<Item = (usize, char)>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |sum, _| Some(sum * 16 + characters.next()?.1.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Option<Vec<Kind>> {
        split(source).map(|tokens| tokens.into_iter().map(|token| token.kind).collect())
    }

    #[test]
    fn texts_and_numbers_mean_what_they_mean_in_javascript() {
        let text = |value: &str| Some(vec![Kind::Text(value.to_owned())]);
        assert_eq!(kinds(r#""a'\"\n\u00fc\x41\/""#), text("a'\"\nüA/"));
        assert_eq!(kinds("'ü😀'"), text("ü😀"));
        assert_eq!(kinds("1.5e3"), Some(vec![Kind::Number(1500.0)]));
        assert_eq!(kinds("0.1"), Some(vec![Kind::Number(0.1)]));
        assert_eq!(kinds("9007199254740991"), Some(vec![Kind::Number(9_007_199_254_740_991.0)]));
    }

    #[test]
    fn anything_odd_is_left_to_the_script() {
        let odd = [
            r"'\0'",
            r"'\1'",
            r"'\a'",
            r"'\ud800'",
            r"'\u{41}'",
            "'a\nb'",
            "'a\\\nb'",
            "'a",
            "`a`",
            "/a/",
            "01",
            "0x10",
            "0b1",
            "1_0",
            "1n",
            "1.",
            "5a",
            "1.e1",
            "1e",
            "1a",
            "1.5.2",
            "9007199254740992",
            "1e400",
            "#",
            "@",
            "a\u{a0}b",
            "\u{feff}a",
            "ü",
            "/* a",
            "// a\u{2028}b",
            "/* \u{2029} */",
            "a * b",
            "a?.b",
            "'a\u{2028}b'",
        ];
        for source in odd {
            assert_eq!(kinds(source), None, "{source}");
        }
    }

    #[test]
    fn line_ends_are_seen_also_within_comments() {
        let lines = |source: &str| split(source).unwrap().iter().map(|token| token.on_new_line).collect::<Vec<_>>();
        assert_eq!(lines("a b\nc // x\nd /* y */ e /* z\n */ f\r\ng"), [false, false, true, true, false, true, true]);
    }
}
