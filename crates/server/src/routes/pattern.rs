//! Path patterns: `/secrets/{owner}/{field}`, compared segment by segment as received.

use percent_encoding::percent_decode_str;

/// A path pattern, split once.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Segment>);

#[derive(Debug)]
enum Segment {
    Literal(&'static str),
    Capture(&'static str),
}

/// What a path holds where its pattern has names, decoded once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures(Vec<(&'static str, String)>);

impl Captures {
    /// The segment under `name`; empty if the pattern has no such name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Pattern {
    pub(super) fn new(text: &'static str) -> Pattern {
        let segment = |part: &'static str| {
            part.strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
                .map_or(Segment::Literal(part), Segment::Capture)
        };
        Pattern(text.split('/').map(segment).collect())
    }

    /// Compares a path as received: literals raw, captures not empty, decodable, and never a dot segment.
    pub(super) fn match_path(&self, path: &str) -> Option<Captures> {
        let mut captures = Captures::default();
        let mut parts = path.split('/');
        for segment in &self.0 {
            let part = parts.next()?;
            match segment {
                Segment::Literal(literal) if *literal == part => {}
                Segment::Literal(_) => return None,
                Segment::Capture(name) => captures.0.push((name, decode(part)?)),
            }
        }
        parts.next().is_none().then_some(captures)
    }
}

fn decode(part: &str) -> Option<String> {
    let text = percent_decode_str(part).decode_utf8().ok()?;
    let is_name = !text.is_empty() && text != "." && text != ".." && !text.chars().any(char::is_control);
    is_name.then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(path: &str) -> Option<String> {
        Pattern::new("/secrets/{owner}/{field}")
            .match_path(path)
            .map(|found| format!("{} {}", found.get("owner"), found.get("field")))
    }

    #[test]
    fn captures_are_decoded_once() {
        assert_eq!(captured("/secrets/a/b").as_deref(), Some("a b"));
        assert_eq!(captured("/secrets/766dcb94.6ebc04/x%2Fy%252F").as_deref(), Some("766dcb94.6ebc04 x/y%2F"));
    }

    #[test]
    fn other_paths_do_not_match() {
        for path in [
            "/secrets/a",
            "/secrets/a/b/",
            "/secrets/a/b/c",
            "/secrets//b",
            "//secrets/a/b",
            "/Secrets/a/b",
            "/%73ecrets/a/b",
            "/secrets/%2e%2e/b",
            "/secrets/../b",
            "/secrets/a/%00",
            "/secrets/a/%ff",
            "secrets/a/b",
            "*",
            "",
        ] {
            assert_eq!(captured(path), None, "{path}");
        }
    }
}
