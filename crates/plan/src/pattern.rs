//! Regular expressions of ECMAScript, as far as a linear-time machine can run them.

use regex::{Regex, RegexBuilder};

use crate::value::Text;

/// The longest pattern, in octets.
const PATTERN_BYTES_MAX: usize = 8_192;
/// The largest compiled pattern, in octets.
const COMPILED_BYTES_MAX: usize = 1_048_576;
/// How deep groups may stand in each other.
const NEST_MAX: u32 = 64;

/// White space of ECMA-262 section 22.2.2.9.
const BLANK: &str = r"\t-\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";
/// White space, complemented, for use inside a class.
const NOT_BLANK: &str = r"[^\t-\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}]";

/// A compiled regular expression. Two are equal if they are written alike.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Text,
    ignore_case: bool,
    regex: Regex,
}

/// Why a pattern cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It needs more than linear time: look-around or a back-reference.
    #[error("it needs {0}, which cannot be searched in linear time")]
    Unsearchable(&'static str),
    /// It is no regular expression, or one that is not understood here.
    #[error("it is not a regular expression that is understood: {0}")]
    Invalid(String),
    /// It is too long.
    #[error("it is longer than {PATTERN_BYTES_MAX} octets")]
    TooLong,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, self.ignore_case) == (&other.source, other.ignore_case)
    }
}

impl Pattern {
    /// Compiles a pattern as ECMAScript writes it, without flags but that for capitals.
    ///
    /// # Errors
    ///
    /// [`PatternError`]: what cannot be run is refused, never approximated.
    pub fn new(source: &str, ignore_case: bool) -> Result<Self, PatternError> {
        if source.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        let regex = RegexBuilder::new(&translate(source)?)
            .case_insensitive(ignore_case)
            .size_limit(COMPILED_BYTES_MAX)
            .nest_limit(NEST_MAX)
            .build()
            .map_err(|error| PatternError::Invalid(last_line(&error.to_string())))?;
        Ok(Self { source: source.into(), ignore_case, regex })
    }

    /// A pattern that matches this text and nothing else.
    ///
    /// # Errors
    ///
    /// [`PatternError::TooLong`].
    pub fn literal(text: &str) -> Result<Self, PatternError> {
        let special = |c: char| "\\^$.*+?()[]{}|/".contains(c);
        let escaped: String = text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect();
        Self::new(&escaped, false)
    }

    /// How the pattern is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the text holds a match.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The text with every match replaced, `$&`, `$1`, `$<name>` and `$$` in the replacement read as ECMAScript reads them
    /// (ECMA-262, GetSubstitution); none if the result would be longer than `bytes_max` octets.
    pub fn replace_all(&self, text: &str, replacement: &str, bytes_max: usize) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for found in self.regex.captures_iter(text) {
            let whole = found.get(0)?;
            out.push_str(&text[done..whole.start()]);
            substitute(&mut out, replacement, text, &found);
            done = whole.end();
            if out.len() > bytes_max {
                return None;
            }
        }
        out.push_str(&text[done..]);
        (out.len() <= bytes_max).then_some(out)
    }
}

fn substitute(out: &mut String, replacement: &str, text: &str, found: &regex::Captures<'_>) {
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        rest = match reference(behind, text, found) {
            Some((inserted, len)) => {
                out.push_str(inserted);
                &behind[len..]
            }
            None => {
                out.push('$');
                behind
            }
        };
    }
    out.push_str(rest);
}

/// What stands behind a `$` inserts, and how many octets of it are taken; none if it inserts nothing.
fn reference<'t>(behind: &str, text: &'t str, found: &regex::Captures<'t>) -> Option<(&'t str, usize)> {
    let whole = found.get(0)?;
    let group =
        |index: usize| (1..found.len()).contains(&index).then(|| found.get(index).map_or("", |group| group.as_str()));
    match behind.chars().next()? {
        '$' => Some(("$", 1)),
        '&' => Some((whole.as_str(), 1)),
        '`' => Some((&text[..whole.start()], 1)),
        '\'' => Some((&text[whole.end()..], 1)),
        '<' => {
            let end = behind.find('>')?;
            Some((found.name(&behind[1..end]).map_or("", |group| group.as_str()), end + 1))
        }
        '0'..='9' => {
            let digits = |len: usize| behind.get(..len).and_then(|digits| Some((group(digits.parse().ok()?)?, len)));
            digits(2).or_else(|| digits(1))
        }
        _ => None,
    }
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// The same expression for the linear-time machine.
fn translate(source: &str) -> Result<String, PatternError> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut out, &mut rest, false)?,
            '[' => class(&mut out, &mut rest)?,
            '.' => out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            '(' if rest.peek() == Some(&'?') => {
                let kind: String = rest.clone().skip(1).take(2).collect();
                match kind.as_bytes() {
                    [b'=' | b'!', ..] => return Err(PatternError::Unsearchable("look-ahead")),
                    b"<=" | b"<!" => return Err(PatternError::Unsearchable("look-behind")),
                    [b':' | b'<', ..] => out.push('('),
                    _ => return Err(PatternError::Invalid("unknown kind of group".to_owned())),
                }
            }
            '{' if !is_quantifier(rest.clone()) => out.push_str(r"\{"),
            other => out.push(other),
        }
    }
    Ok(out)
}

type Rest<'s> = std::iter::Peekable<std::str::Chars<'s>>;

fn is_quantifier(rest: Rest<'_>) -> bool {
    let inner: String = rest.take_while(|c| *c != '}').collect();
    let (low, high) = inner.split_once(',').unwrap_or((&inner, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}

fn escape(out: &mut String, rest: &mut Rest<'_>, in_class: bool) -> Result<(), PatternError> {
    let escaped = rest.next().ok_or_else(|| PatternError::Invalid("a \\ stands at the end".to_owned()))?;
    match escaped {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.extend(["[", BLANK, "]"]),
        'S' => out.push_str(NOT_BLANK),
        'b' if in_class => out.push_str(r"\u{8}"),
        'b' => out.push_str(r"(?-u:\b)"),
        'B' if !in_class => out.push_str(r"(?-u:\B)"),
        'n' | 'r' | 't' | 'f' | 'v' => out.extend(['\\', escaped]),
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\u{0}"),
        '0'..='9' => return Err(PatternError::Unsearchable("a back-reference")),
        'k' => return Err(PatternError::Unsearchable("a back-reference")),
        'x' => code_point(out, rest, 2)?,
        'u' => code_point(out, rest, 4)?,
        'c' => {
            let letter = rest.next().filter(char::is_ascii_alphabetic);
            let letter = letter.ok_or_else(|| PatternError::Invalid("\\c without a letter".to_owned()))?;
            literal(out, char::from(letter.to_ascii_uppercase() as u8 - b'@'));
        }
        other => literal(out, other),
    }
    Ok(())
}

fn code_point(out: &mut String, rest: &mut Rest<'_>, digits: usize) -> Result<(), PatternError> {
    let text: String = rest.by_ref().take(digits).collect();
    let well_formed = text.len() == digits && text.chars().all(|c| c.is_ascii_hexdigit());
    let code = well_formed.then(|| u32::from_str_radix(&text, 16).ok().and_then(char::from_u32)).flatten();
    literal(out, code.ok_or_else(|| PatternError::Invalid(format!("no character has the code {text:?}")))?);
    Ok(())
}

fn class(out: &mut String, rest: &mut Rest<'_>) -> Result<(), PatternError> {
    let negated = rest.next_if_eq(&'^').is_some();
    if rest.next_if_eq(&']').is_some() {
        out.push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
        return Ok(());
    }
    out.push_str(if negated { "[^" } else { "[" });
    loop {
        match rest.next().ok_or_else(|| PatternError::Invalid("a class is not closed".to_owned()))? {
            ']' => break,
            '\\' => escape(out, rest, true)?,
            '-' if rest.peek() == Some(&']') || out.ends_with('[') || out.ends_with("[^") => out.push_str(r"\-"),
            '-' => out.push('-'),
            other => literal(out, other),
        }
    }
    out.push(']');
    Ok(())
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() || c.is_ascii_control() {
        out.push_str(&format!("\\u{{{:X}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, false).unwrap().is_match(text)
    }

    /// NR-93: expressions mean what ECMAScript says, where they differ from the machine's own.
    #[test]
    fn a_pattern_means_what_ecmascript_says() {
        for (pattern, text, expected) in [
            (r"^\d+$", "١", false),
            (r"^\s$", "\u{FEFF}", true),
            (r"^.$", "\r", false),
            (r"^[[]$", "[", true),
            (r"^[a&&b]$", "&", true),
            (r"^[^\s]$", " ", false),
            (r"^[\w-]+$", "a-b", true),
            (r"a{,2}", "a{,2}", true),
            (r"^a{2}$", "aa", true),
            (r"\/x\-\u0041\x41\cA\0", "/x-AA\u{1}\0", true),
            (r"[]", "a", false),
            (r"^[^]$", "\n", true),
            (r"(?<year>\d{4})-(?:x)", "2024-x", true),
            (r"\bö", "aö", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text:?}");
        }
        assert!(Pattern::new("HELLO", true).unwrap().is_match("hello"));
    }

    #[test]
    fn what_cannot_be_run_in_linear_time_is_refused() {
        for pattern in [r"(?=a)", r"(?!a)", r"(?<=a)b", r"(?<!a)b", r"(a)\1", r"(?<n>a)\k<n>"] {
            assert!(matches!(Pattern::new(pattern, false), Err(PatternError::Unsearchable(_))), "{pattern}");
        }
        for pattern in ["(", "[a", "\\", "(?i)a", r"\u12", "a{1000}{1000}{1000}"] {
            assert!(matches!(Pattern::new(pattern, false), Err(PatternError::Invalid(_))), "{pattern}");
        }
        assert_eq!(Pattern::new(&"a".repeat(PATTERN_BYTES_MAX + 1), false), Err(PatternError::TooLong));
    }

    #[test]
    fn replacements_are_read_as_ecmascript_reads_them() {
        let replace = |pattern: &str, text: &str, with: &str| {
            Pattern::new(pattern, false).unwrap().replace_all(text, with, 1_000).unwrap()
        };
        assert_eq!(replace(r"(\w)(\w)", "abcd", "$2$1"), "badc");
        assert_eq!(replace("(a)(b)?", "xaby a", "[$1$2$3]"), "x[ab$3]y [a$3]");
        assert_eq!(replace("b", "abc", "$&$$$`$'$x"), "ab$ac$xc");
        assert_eq!(replace("(?<n>b)", "abc", "<$<n>>"), "a<b>c");
        assert_eq!(Pattern::literal("a.b$").unwrap().replace_all("a.b$axb$", "-", 100).as_deref(), Some("-axb$"));
        assert_eq!(Pattern::literal("a").unwrap().replace_all("aaaa", "xxxxxx", 10), None);
    }
}
