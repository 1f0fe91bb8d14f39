//! Property paths as Node-RED writes them: `a.b`, `a[0]`, `a["b c"]`, `a[msg.b]`, `#:(store)::a`.

use plan::{Path, Segment, Turn, Way};

/// Most segments of one path.
const SEGMENTS_MAX: usize = 64;

/// How deep paths may stand in brackets of each other.
const NESTED_MAX: usize = 4;
/// What a path begins with that the message decides, inside brackets.
const OF_MESSAGE: &str = "msg.";

/// Reads a path below the message; none if it is no path, or leads through another one (`a[msg.b]`).
pub(super) fn parse(text: &str) -> Option<Path> {
    let fixed = |turn: &Turn| match turn {
        Turn::To(segment) => Some(segment.clone()),
        Turn::By(_) => None,
    };
    way(text)?.0.iter().map(fixed).collect::<Option<Vec<_>>>().map(|segments| Path(segments.into()))
}

/// Reads the key of a variable, which may name a store; none if it is no path.
pub fn variable(key: &str) -> Option<Path> {
    parse(without_store(key))
}

/// Reads a path of which the message may decide some steps; none if it is no path.
pub(super) fn way(text: &str) -> Option<Way> {
    nested(text, NESTED_MAX)
}

/// The key of a variable without the store that it names: there is one store.
pub(super) fn without_store(key: &str) -> &str {
    key.strip_prefix("#:(").and_then(|rest| rest.split_once(")::")).map_or(key, |(_, key)| key)
}

fn nested(text: &str, levels: usize) -> Option<Way> {
    let mut turns = Vec::new();
    let mut rest = text;
    let mut expects_name = true;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (turn, behind) = bracketed(inner, levels)?;
            turns.push(turn);
            rest = behind;
        } else {
            let name_at = if expects_name { rest } else { rest.strip_prefix('.')? };
            let end = name_at.find(['.', '[']).unwrap_or(name_at.len());
            turns.push(Turn::To(named(&name_at[..end])?));
            rest = &name_at[end..];
        }
        expects_name = false;
    }
    (!turns.is_empty() && turns.len() <= SEGMENTS_MAX).then(|| Way(turns.into()))
}

fn named(name: &str) -> Option<Segment> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-');
    (!name.is_empty() && name.chars().all(plain)).then(|| Segment::Key(name.into()))
}

/// What stands in brackets, and what follows them.
fn bracketed(inner: &str, levels: usize) -> Option<(Turn, &str)> {
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let (name, behind) = inner[1..].split_once(quote)?;
        let plain = !name.is_empty() && !name.contains('\\');
        return plain.then_some((Turn::To(Segment::Key(name.into())), behind.strip_prefix(']')?));
    }
    let mut open = 1;
    let end = inner.find(|c| {
        open = match c {
            '[' => open + 1,
            ']' => open - 1,
            _ => open,
        };
        open == 0
    })?;
    let (index, behind) = (&inner[..end], &inner[end + 1..]);
    let turn = match index.strip_prefix(OF_MESSAGE) {
        Some(way) => Turn::By(nested(way, levels.checked_sub(1)?)?),
        None => Turn::To(Segment::Index(index.parse().ok()?)),
    };
    Some((turn, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let segments = parse(text)?;
        let shown = segments.0.iter().map(|segment| match segment {
            Segment::Key(name) => format!("<{name}>"),
            Segment::Index(index) => format!("#{index}"),
        });
        Some(shown.collect())
    }

    #[test]
    fn dots_and_brackets_are_read_and_anything_else_is_refused() {
        assert_eq!(shown("payload").as_deref(), Some("<payload>"));
        assert_eq!(shown(r#"a[0].b["c d"]['e.f'].g-h"#).as_deref(), Some("<a>#0<b><c d><e.f><g-h>"));
        for refused in ["", ".", "a.", ".a", "a..b", "a[msg.b]", "a[", "a[]", "a[-1]", "a[\"\"]", "a b", "a[0]b"] {
            assert_eq!(shown(refused), None, "{refused}");
        }
    }

    /// NR-93: paths whose steps the message decides, and keys with a store.
    #[test]
    fn the_message_may_decide_steps() {
        let by = |inner: &str| Turn::By(way(inner).unwrap());
        let to = |name: &str| Turn::To(Segment::Key(name.into()));
        assert_eq!(way("a[msg.k.l].b"), Some(Way([to("a"), by("k.l"), to("b")].into())));
        assert_eq!(way("a[msg.k[msg.l]]"), Some(Way([to("a"), by("k[msg.l]")].into())));
        for refused in ["a[msg]", "a[msg.]", "a[msg.k", "a[b]", "a[msg.a[msg.b[msg.c[msg.d[msg.e]]]]]"] {
            assert_eq!(way(refused), None, "{refused}");
        }
        assert_eq!(without_store("#:(file)::a.b"), "a.b");
        assert_eq!(without_store("a.b"), "a.b");
    }
}
