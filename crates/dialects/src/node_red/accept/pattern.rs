//! Paths of `http in` nodes as Express 4 writes them: `:name`, `:name?`, `*`, `(pattern)` (section 11).

use plan::{Map, Text, Value};
use regex::bytes::{Regex, RegexBuilder};

use super::percent::decode_component;

/// The most memory that one compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 256 * 1024;
/// Characters that make a path more than the text it shows.
const SPECIAL: &[char] = &['\\', ':', '*', '(', ')', '+', '?', '^', '$', '|', '[', ']', '{', '}'];

/// A path pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Matches this text, in lower case and without its last slash.
    Plain(String),
    /// Matches what the expression matches; its groups have these names.
    Expression(Box<(Regex, Vec<Text>)>),
}

/// Why a path is no pattern that can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::node_red) enum PatternError {
    /// Two parameters are divided by more than one character.
    Divider(String),
    /// An expression in it is broken, too large, or looks around itself.
    Expression(String),
}

/// What a pattern makes of a path.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::node_red) enum Match {
    /// It does not match.
    No,
    /// It matches, with these parameters; one that is left out is undefined.
    Yes(Map),
    /// It matches, and a parameter cannot be decoded.
    Undecodable,
}

impl Pattern {
    /// Reads a pattern.
    pub(in crate::node_red) fn parse(path: &str) -> Result<Self, PatternError> {
        if !path.contains(SPECIAL) && !path.ends_with("//") {
            return Ok(Self(Kind::Plain(plain_key(path))));
        }
        let translated = Translation::of(path)?;
        let compiled = RegexBuilder::new(&translated.expression)
            .case_insensitive(true)
            .unicode(false)
            .size_limit(COMPILED_BYTES_MAX)
            .build();
        let regex = compiled.map_err(|error| PatternError::Expression(reason(&error)))?;
        Ok(Self(Kind::Expression(Box::new((regex, translated.names)))))
    }

    /// The key under which a plain pattern is found; none for one that must be tried.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.0 {
            Kind::Plain(key) => Some(key),
            Kind::Expression(_) => None,
        }
    }

    /// Tries the path of a request, still percent-encoded.
    pub(in crate::node_red) fn matches(&self, path: &str) -> Match {
        let (regex, names) = match &self.0 {
            Kind::Plain(key) if *key == plain_key(path) => return Match::Yes(Map::new()),
            Kind::Plain(_) => return Match::No,
            Kind::Expression(expression) => &**expression,
        };
        let Some(captures) = regex.captures(path.as_bytes()) else { return Match::No };
        let mut parameters = Map::new();
        for (at, name) in names.iter().enumerate() {
            let group = captures.get(at + 1).and_then(|group| path.get(group.range()));
            let decoded = group.map(decode_component);
            let value = match decoded {
                Some(None) => return Match::Undecodable,
                Some(Some(text)) => Value::text(text),
                None if parameters.get(name).is_some() => continue,
                None => Value::Undefined,
            };
            parameters.insert(name.clone(), value);
        }
        Match::Yes(parameters.indices_first())
    }
}

/// A plain path in lower case and without its last slash: both are optional.
pub(super) fn plain_key(path: &str) -> String {
    path.strip_suffix('/').unwrap_or(path).to_ascii_lowercase()
}

/// The last line of what the expression's reader says, which is the sentence.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A pattern on its way to an expression.
#[derive(Default)]
struct Translation {
    expression: String,
    names: Vec<Text>,
    unnamed: usize,
    /// The text before a parameter in its own segment, which the parameter must not run across.
    divider: String,
}

impl Translation {
    fn of(path: &str) -> Result<Self, PatternError> {
        let mut this = Self { expression: "^".to_owned(), ..Self::default() };
        let mut rest = path;
        while let Some(c) = rest.chars().next() {
            rest = match this.parameter(rest)? {
                Some(behind) => behind,
                None => this.literal(rest, c),
            };
        }
        let last = this.expression.ends_with('/');
        this.expression.push_str(if last { "?$" } else { "/?$" });
        Ok(this)
    }

    /// Anything but a parameter. Gives what follows.
    fn literal<'p>(&mut self, rest: &'p str, c: char) -> &'p str {
        let mut taken = c.len_utf8();
        match c {
            '\\' => {
                taken += rest[1..].chars().next().map_or(0, char::len_utf8);
                self.push(&rest[..taken]);
            }
            '.' => self.push("\\."),
            '*' => {
                self.push("(.*)");
                self.name_unnamed();
                self.divider.clear();
            }
            '/' if rest[1..].starts_with('(') => {
                self.expression.push_str("/(?:");
                self.divider.push('/');
                taken += 1;
            }
            '(' if rest[1..].starts_with("?<") && rest.contains('>') => {
                let end = rest.find('>').unwrap_or(rest.len() - 1);
                self.names.push(rest[3..end].into());
                self.push("(");
                taken = end + 1;
            }
            '(' if !rest[1..].starts_with('?') => {
                self.push("(");
                self.name_unnamed();
            }
            plain => self.push(plain.encode_utf8(&mut [0; 4])),
        }
        &rest[taken..]
    }

    /// `/.:name(expression)*?`, of which only `:name` must be there. Gives what follows.
    fn parameter<'p>(&mut self, rest: &'p str) -> Result<Option<&'p str>, PatternError> {
        let slash = rest.starts_with('/');
        let behind_slash = if slash { &rest[1..] } else { rest };
        let dot = behind_slash.starts_with('.');
        let behind_dot = if dot { &behind_slash[1..] } else { behind_slash };
        let Some(named) = behind_dot.strip_prefix(':') else { return Ok(None) };
        let end = named.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(named.len());
        if end == 0 {
            return Ok(None);
        }
        let (name, mut behind) = named.split_at(end);
        let expression = behind.find(')').filter(|_| behind.starts_with('(')).map(|close| behind.split_at(close + 1));
        if slash || dot {
            self.divider.clear();
        }
        self.expression.push_str("(?:");
        self.expression.push_str(if dot { "\\." } else { "" });
        self.expression.push_str(if slash { "/" } else { "" });
        self.names.push(name.into());
        match expression {
            Some((own, after)) => {
                self.own_expression(own);
                behind = after;
            }
            None => self.segment(dot)?,
        }
        Ok(Some(self.repeat(behind, dot)))
    }

    /// The author's own expression for a parameter; groups within it count as unnamed ones.
    fn own_expression(&mut self, own: &str) {
        let star = own.find(['\\', '*']).filter(|at| own[*at..].starts_with('*'));
        let own = star.map_or(own.to_owned(), |at| format!("{}(.*){}", &own[..at], &own[at + 1..]));
        let inner = own.match_indices('(').skip(1);
        let unnamed = inner.filter(|(at, _)| !own[..*at].ends_with('\\') && !own[at + 1..].starts_with('?')).count();
        self.expression.push_str(&own);
        for _ in 0..unnamed {
            self.name_unnamed();
        }
    }

    /// What a parameter matches by itself: as little as possible of its segment, and not across the divider.
    fn segment(&mut self, dot: bool) -> Result<(), PatternError> {
        let mut divider = self.divider.chars();
        let not = match (divider.next(), divider.next(), divider.next()) {
            (None, ..) if dot => "\\.".to_owned(),
            (None | Some('/'), ..) => String::new(),
            (Some(one), None, _) => format!("\\{one}"),
            (Some('\\'), Some(_), None) => self.divider.clone(),
            (Some(_), Some(_), _) => return Err(PatternError::Divider(self.divider.replace('\\', ""))),
        };
        self.expression.push_str(&format!("([^/{not}]+?)"));
        Ok(())
    }

    /// The star and the question mark behind a parameter. Gives what follows.
    fn repeat<'p>(&mut self, behind: &'p str, dot: bool) -> &'p str {
        let (star, behind) = behind.strip_prefix('*').map_or((false, behind), |rest| (true, rest));
        if star {
            self.expression.push_str(if dot { "((?:[/\\.].+?)?)" } else { "((?:[/].+?)?)" });
            self.name_unnamed();
        }
        let (optional, behind) = behind.strip_prefix('?').map_or((false, behind), |rest| (true, rest));
        self.expression.push_str(if optional { ")?" } else { ")" });
        self.divider.clear();
        behind
    }

    fn push(&mut self, text: &str) {
        self.expression.push_str(text);
        self.divider.push_str(text);
    }

    fn name_unnamed(&mut self) {
        self.names.push(self.unnamed.to_string().into());
        self.unnamed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(pattern: &str, path: &str) -> Option<String> {
        match Pattern::parse(pattern).unwrap().matches(path) {
            Match::No => None,
            Match::Undecodable => Some("undecodable".to_owned()),
            Match::Yes(parameters) => {
                let mut out = Vec::new();
                plan::write_json(&mut out, &parameters.into()).unwrap();
                Some(String::from_utf8(out).unwrap())
            }
        }
    }

    /// NR-70: the expected values are what Node-RED 5.0.7 was seen to answer.
    #[test]
    fn paths_match_as_express_matches_them() {
        let cases = [
            ("/plain/Path", "/PLAIN/PATH/", Some("{}")),
            ("/plain/Path", "/plain/Path//", None),
            ("/one/:a", "/ONE/AbC", Some(r#"{"a":"AbC"}"#)),
            ("/one/:a", "/one/a%20b%2Fc%C3%BC", Some(r#"{"a":"a b/cü"}"#)),
            ("/one/:a", "/one/a+b", Some(r#"{"a":"a+b"}"#)),
            ("/one/:a", "/one/%E0%A4%A", Some("undecodable")),
            ("/one/:a", "/one/%ff", Some("undecodable")),
            ("/one/:a", "/one/", None),
            ("/one/:a", "/one/a.b", Some(r#"{"a":"a.b"}"#)),
            ("/two/:a/:b?", "/two/x/y", Some(r#"{"a":"x","b":"y"}"#)),
            ("/two/:a/:b?", "/two/x", Some(r#"{"a":"x"}"#)),
            ("/two/:a/:b?", "/two/x/", Some(r#"{"a":"x"}"#)),
            ("/files/*", "/files/a/b/c.txt", Some(r#"{"0":"a/b/c.txt"}"#)),
            ("/files/*", "/files/", Some(r#"{"0":""}"#)),
            ("/files/*", "/files", None),
            ("/digits/:n([0-9]+)", "/digits/42", Some(r#"{"n":"42"}"#)),
            ("/digits/:n([0-9]+)", "/digits/4x", None),
            ("/(x|y)/end", "/y/end", Some("{}")),
            ("/(x|y)/end", "/z/end", None),
            ("/with space", "/with%20space", None),
            ("/dot.json", "/dot.json", Some("{}")),
            ("/dot.json", "/dotxjson", None),
            ("/d.:x", "/d.json", Some(r#"{"x":"json"}"#)),
            ("/a-:from-:to", "/a-berlin-rome", Some(r#"{"from":"berlin","to":"rome"}"#)),
            ("/slash/", "/slash", Some("{}")),
            ("/slash/", "/slash/", Some("{}")),
            ("/opt/:a?/tail", "/opt/v/tail", Some(r#"{"a":"v"}"#)),
            ("/opt/:a?/tail", "/opt/tail", Some("{}")),
            ("/plus/:a+", "/plus/a/b", Some(r#"{"a":"b"}"#)),
            ("/plus/:a+", "/plus", None),
            ("/multi/:a*", "/multi/a/b", Some(r#"{"0":"/b","a":"a"}"#)),
            ("/multi/:a*", "/multi", None),
            ("/", "/", Some("{}")),
            ("/", "//", None),
            ("/x", "//x", None),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matched(pattern, path).as_deref(), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_cannot_be_served_is_told() {
        assert!(matches!(Pattern::parse("/:a-to-:b"), Err(PatternError::Divider(_))));
        assert!(matches!(Pattern::parse("/a("), Err(PatternError::Expression(_))));
        assert!(matches!(Pattern::parse("/${NAME}"), Err(PatternError::Expression(_))));
        assert!(matches!(Pattern::parse("/:a((?!x)y)"), Err(PatternError::Expression(_))));
    }
}
